// What a query asks for and its KPIs have not: it is said, and stays until somebody chooses anew.
import { choicesOf, keeps, userFields } from './choices.ts';
import { chosenOf, isAsked, kindOf, showOf } from './query.ts';
import type { Definition, Query } from './types.ts';
import type { Lang } from './words.ts';
import { fieldsName, say, windowName } from './words.ts';

/** Misfits say what is wrong, by the field of the query in which it is; of filters by their place. */
export type Misfits = Partial<Record<Exclude<keyof Query, 'filters'>, string>> & { filters?: (string | undefined)[] };

/** misfitsOf holds a query, with the values of its variables, against the definitions. */
export function misfitsOf(query: Query, definitions: readonly Definition[], lang: Lang): Misfits {
  switch (kindOf(query)) {
    case 'kpi':
    case 'revisions':
      return ofKpis(query, definitions, lang);
    case 'users':
      return ofUsers(query, definitions, lang);
    case 'alerts':
    case 'freshness':
      return {};
  }
}

function ofKpis(query: Query, definitions: readonly Definition[], lang: Lang): Misfits {
  const found: Misfits = {};
  const kpis = chosenOf(query, definitions);
  const unknown = (query.kpis ?? []).filter((name) => !kpis.some((kpi) => kpi.name === name));
  if (unknown.length > 0) found.kpis = say(lang, 'unknown_kpis', { names: unknown.join(', ') });
  if (kpis.length === 0) return found;

  const choices = choicesOf(query, definitions);
  const windows = choices.windows.map((window) => windowName(window, lang)).join(', ');
  if (query.window && !choices.windows.includes(query.window))
    found.window = windows
      ? say(lang, 'window_not_kept', { window: windowName(query.window, lang), windows })
      : say(lang, 'no_common_window');

  const by = query.by ?? [];
  const filters = query.filters ?? [];
  const keptBy = (fields: readonly string[]) => kpis.every((kpi) => keeps(kpi, fields));
  if (by.length > 0 && !keptBy(by)) found.by = say(lang, 'by_not_kept', { by: fieldsName(by, lang) });
  else if (filters.some(isAsked) && !keptBy([...by, ...filters.filter(isAsked).map(({ field }) => field)]))
    found.filters = filters.map((filter) =>
      isAsked(filter)
        ? say(lang, by.length > 0 ? 'filter_not_beside' : 'filter_not_kept', {
            field: fieldsName([filter.field], lang),
            by: fieldsName(by, lang),
          })
        : undefined,
    );

  if (kindOf(query) === 'revisions') return found;
  if (!choices.shows.includes(showOf(query))) found.show = say(lang, 'no_triangle');
  if (query.value && !choices.values.includes(query.value))
    found.value = say(lang, 'value_not_had', { value: say(lang, query.value) });
  if (query.compare?.some((one) => !choices.compares.includes(one))) found.compare = say(lang, 'not_in_triangle');
  if (query.top && !choices.top) found.top = say(lang, 'not_in_triangle');
  if (query.bounds && !choices.bounds) found.bounds = say(lang, 'no_bounds');
  if (query.minor && !choices.minor) found.minor = say(lang, 'no_money');
  if (query.closed && !choices.closed) found.closed = say(lang, 'not_closed');
  if (query.live && !choices.live) found.live = say(lang, 'not_live');
  return found;
}

function ofUsers(query: Query, definitions: readonly Definition[], lang: Lang): Misfits {
  const fields = userFields(definitions);
  if (fields.length === 0) return { segment: say(lang, 'no_users') };
  const filters = (query.filters ?? []).map((filter) =>
    isAsked(filter) && !fields.includes(filter.field)
      ? say(lang, 'users_not_by', { field: fieldsName([filter.field], lang) })
      : undefined,
  );
  return filters.some(Boolean) ? { filters } : {};
}
