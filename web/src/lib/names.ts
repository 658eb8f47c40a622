// How values of dimensions are shown. Names come from the estate, words of closed lists from the catalogue.
import { t } from '../i18n';
import { estate } from './data';
import type { Filter } from './where';

export function valueName(dimension: string, value: string): string {
  const special = t.value.special[value];
  if (special) return special;
  const known = t.value.values[dimension]?.[value];
  if (known) return known;
  const facts = estate.value;
  if (!facts) return value;
  const lists: Record<string, readonly { id: string; name: string }[]> = {
    team: facts.teams,
    project: facts.projects,
    environment: facts.environments,
    model: facts.models,
    use_case: facts.use_cases,
    source: facts.sources.map((source) => ({ id: source.name, name: source.title })),
  };
  return lists[dimension]?.find((entry) => entry.id === value)?.name ?? value;
}

export function filterText(filter: Filter, name: string): string {
  const shown = filter.values.slice(0, 2).map((value) => valueName(filter.dimension, value));
  const rest = filter.values.length - shown.length;
  const values = shown.join(', ') + (rest > 0 ? ` ${t.value.filter.more(rest)}` : '');
  return `${name} ${filter.not ? t.value.filter.isNot : t.value.filter.is} ${values}`;
}
