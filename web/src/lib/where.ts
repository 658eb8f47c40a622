// The filter text that the command line, the API and the page's address share: 'provider=AWS;team=search,ads;tag:env!=dev'.
// A ',', ';', '=', '!' or '\' inside a name or value is escaped with a backslash, and so is a blank at its edge.

export interface Filter {
  dimension: string;
  not?: boolean;
  values: string[];
}

export function formatWhere(filters: readonly Filter[]): string {
  return filters
    .filter((filter) => filter.values.length > 0)
    .map(
      (filter) =>
        `${escape(filter.dimension)}${filter.not ? '!=' : '='}${filter.values.map(escape).join(',')}`,
    )
    .join(';');
}

function escape(text: string): string {
  return text.replace(/[,;=!\\]/g, '\\$&').replace(/^\s|\s$/g, '\\$&');
}

/** The reverse of formatWhere. Text that is no filter is passed over: an address is typed by hand at times. */
export function parseWhere(text: string): Filter[] {
  const filters: Filter[] = [];
  for (const clause of split(text, ';')) {
    const [name, list, ...rest] = split(clause, '=');
    if (name === undefined || list === undefined || rest.length > 0) continue;
    const not = /(^|[^\\])(\\\\)*!$/.test(name);
    const dimension = unescape(not ? name.slice(0, -1) : name);
    const values = split(list, ',')
      .map(unescape)
      .filter((value) => value !== '');
    if (dimension && values.length)
      filters.push(not ? { dimension, not, values } : { dimension, values });
  }
  return filters;
}

function split(text: string, at: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\' && i + 1 < text.length) part += char + text[++i]!;
    else if (char === at) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  parts.push(part);
  return parts;
}

function unescape(text: string): string {
  let out = '';
  let keep = 0; // length up to which blanks at the end were escaped
  const trimmed = text.replace(/^\s+/, '');
  for (let i = 0; i < trimmed.length; i++) {
    if (trimmed[i] === '\\' && i + 1 < trimmed.length) {
      out += trimmed[++i]!;
      keep = out.length;
    } else out += trimmed[i]!;
  }
  const end = out.replace(/\s+$/, '').length;
  return out.slice(0, Math.max(end, keep));
}

export function sameFilter(a: Filter, b: Filter): boolean {
  return formatWhere([a]) === formatWhere([b]);
}

/** Adds a filter; one on the same dimension is narrowed to the new values. */
export function narrow(filters: readonly Filter[], added: readonly Filter[]): Filter[] {
  let out = [...filters];
  for (const filter of added) {
    out = out.filter(
      (old) => old.dimension !== filter.dimension || Boolean(old.not) !== Boolean(filter.not),
    );
    out.push(filter);
  }
  return out;
}
