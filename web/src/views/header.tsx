import { signal } from '@preact/signals';
import { CATALOGUES, integer, locale, setLocale, t, type Locale } from '../i18n';
import { estate } from '../lib/data';
import { load, store } from '../lib/local';
import { go, view } from '../lib/state';
import { openIncidents } from '../lib/watching';
import { Icon, Link, Popover, Segmented, Select } from '../parts/basics';

export type Theme = 'auto' | 'light' | 'dark';
const stored = load('theme');
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'auto');
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme.value;
}
function setTheme(next: Theme): void {
  store('theme', next === 'auto' ? null : next);
  theme.value = next;
  applyTheme();
}

/** Whether the server's stream of events is open. */
export const live = signal(false);

export function Header({ currencies, currency }: { currencies: string[]; currency: string }) {
  const words = t.value;
  const at = view.value.page;
  return (
    <header class="top">
      <div class="wrap top-row">
        <Link to={{ page: 'overview', where: [], period: '', by: '', offset: 0 }} class="brand">
          <Mark />
          <span>
            <strong>Flyball</strong>
            {estate.value && estate.value.name !== 'Flyball' && (
              <span class="brand-estate">{estate.value.name}</span>
            )}
          </span>
        </Link>
        <nav aria-label={words.nav.label}>
          <Link to={{ page: 'overview', offset: 0 }} current={at === 'overview'}>
            {words.nav.overview}
          </Link>
          <Link to={{ page: 'explore', offset: 0 }} current={at === 'explore'}>
            {words.nav.explore}
          </Link>
          <Link to={{ page: 'outlook', offset: 0 }} current={at === 'outlook'}>
            {words.nav.outlook}
          </Link>
          <Link to={{ page: 'incidents', incident: '', offset: 0 }} current={at === 'incidents'}>
            {words.nav.incidents}
            <OpenCount />
          </Link>
          <Link to={{ page: 'budgets', offset: 0 }} current={at === 'budgets'}>
            {words.nav.budgets}
          </Link>
          <Link to={{ page: 'health', offset: 0 }} current={at === 'health'}>
            {words.nav.health}
          </Link>
          <Link to={{ page: 'import', offset: 0 }} current={at === 'import'}>
            {words.nav.import}
          </Link>
        </nav>
        <div class="top-tools">
          <span
            class={live.value ? 'live on' : 'live'}
            title={live.value ? words.live.openHelp : ''}
          >
            <i aria-hidden="true" />
            <span>{live.value ? words.live.open : words.live.closed}</span>
          </span>
          {currencies.length > 1 && (
            <Select
              label={words.settings.currency}
              value={currency}
              options={currencies.map((c) => ({ value: c, label: c }))}
              onChange={(next) => go({ currency: next })}
            />
          )}
          <Select
            label={words.settings.language}
            value={locale.value}
            options={(Object.keys(CATALOGUES) as Locale[]).map((l) => ({
              value: l,
              label: CATALOGUES[l].languageName,
            }))}
            onChange={setLocale}
          />
          <Popover button={<Icon name="sun" />} label={words.settings.theme} class="icon-button">
            {() => (
              <Segmented
                label={words.settings.theme}
                value={theme.value}
                options={[
                  { value: 'light', label: words.settings.light },
                  { value: 'dark', label: words.settings.dark },
                  { value: 'auto', label: words.settings.auto },
                ]}
                onChange={setTheme}
              />
            )}
          </Popover>
        </div>
      </div>
    </header>
  );
}

/** How many incidents nobody looks at yet. */
function OpenCount() {
  const open = openIncidents.value.length;
  if (open === 0) return null;
  return (
    <span class="nav-count">
      <span aria-hidden="true">{integer(open)}</span>
      <span class="sr-only">{t.value.watch.badge(integer(open), open)}</span>
    </span>
  );
}

/** The governor: two balls on their arms. */
export function Mark() {
  return (
    <svg class="mark" width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
      <path
        d="M16 4v22M10 28h12M16 7 7.500 15.500M16 7l8.500 8.500M7.500 15.500 16 21.500l8.500-6"
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
      <circle class="ball" cx="7" cy="16" r="4" />
      <circle class="ball" cx="25" cy="16" r="4" />
    </svg>
  );
}
