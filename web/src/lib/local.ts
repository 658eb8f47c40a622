// What a reader chose on this device. Storage may be closed to the page: then a choice lasts until it is left.
export function load(key: string): string | null {
  try {
    return localStorage.getItem(`flyball.${key}`);
  } catch {
    return null;
  }
}
export function store(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`flyball.${key}`);
    else localStorage.setItem(`flyball.${key}`, value);
  } catch {
    // Without storage the choice is simply not remembered.
  }
}
/** Secrets live in the tab only. */
export function loadSecret(key: string): string {
  try {
    return sessionStorage.getItem(`flyball.${key}`) ?? '';
  } catch {
    return '';
  }
}
export function storeSecret(key: string, value: string): void {
  try {
    sessionStorage.setItem(`flyball.${key}`, value);
  } catch {
    // As above.
  }
}
