import { kindOf } from './query.ts';
import type { Query } from './types.ts';
import type { Lang } from './words.ts';
import { fieldsName, say, segmentName, windowName } from './words.ts';

/** describe says in a line what a query asks for. */
export function describe(query: Query, lang: Lang): string {
  const kpis = (query.kpis ?? []).join(', ');
  const cut = [
    ...(query.window ? [windowName(query.window, lang)] : []),
    ...(query.by?.length ? [fieldsName(query.by, lang)] : []),
  ];
  switch (kindOf(query)) {
    case 'kpi':
      return [kpis, ...cut].join(' · ');
    case 'revisions':
      return [say(lang, 'revisions'), kpis, ...cut].join(' · ');
    case 'users':
      return [
        say(lang, 'users'),
        ...(query.segment ? [segmentName(query.segment, lang)] : []),
        ...(query.active ? [query.active] : []),
      ].join(' · ');
    case 'alerts':
    case 'freshness':
      return say(lang, kindOf(query));
  }
}
