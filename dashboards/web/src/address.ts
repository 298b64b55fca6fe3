// The page's own address: which KPI it looks at, in the words of the API.
import type { Alert, Answer, Definition } from './api.ts';
import { instant, isOver } from './api.ts';

/** What a link into the page names; the rest of it is the query of /api/v1/kpis/{name}. */
export interface Address {
  kpi: string;
  window?: string;
  by: string[];
  /** The one series meant, by field. */
  labels: Record<string, string>;
  at?: string;
  /** The id of the one alert meant. */
  alert?: string;
}

/** Words of the address that name no field. */
const words = ['kpi', 'window', 'by', 'at', 'lang', 'theme'];

/** addressOf reads the query and the fragment of the page's address; null when it names no KPI. */
export function addressOf(rest: string): Address | null {
  const [search, fragment = ''] = rest.split('#');
  const query = new URLSearchParams(search);
  const kpi = query.get('kpi');
  if (!kpi) return null;
  const labels = Object.fromEntries([...query].filter(([name]) => !words.includes(name)));
  const named = query.getAll('by').flatMap((fields) => fields.split(','));
  const by = [...new Set([...named, ...Object.keys(labels)])].filter((field) => field !== '' && field !== 'total');
  const address: Address = { kpi, by, labels };
  const [window, at] = [query.get('window'), query.get('at')];
  if (window) address.window = window;
  const alert = /^alert=(\w+)$/.exec(fragment)?.[1];
  if (alert) address.alert = alert;
  if (at) address.at = at.replace(/(T.*) (\d\d:\d\d)$/, '$1+$2'); // an address's + is a space
  return address;
}

/** hrefOf writes it; what else the present address says, as the language, stays. */
export function hrefOf(address: Address | null, search: string): string {
  const now = new URLSearchParams(search);
  const query = new URLSearchParams();
  for (const [name, value] of address ? Object.entries(queryOf(address)) : []) query.set(name, value);
  for (const kept of ['lang', 'theme']) if (now.has(kept)) query.set(kept, now.get(kept)!);
  const text = query.toString();
  const fragment = address?.alert ? `#alert=${address.alert}` : '';
  return (text === '' ? './' : `./?${text}`) + fragment;
}

function queryOf({ kpi, window, by, labels, at }: Address): Record<string, string> {
  return {
    kpi,
    ...(window ? { window } : {}),
    ...(by.length ? { by: by.join() } : {}),
    ...labels,
    ...(at ? { at } : {}),
  };
}

/** addressOfAlert leads to the series of an alert as the rule sees it. */
export function addressOfAlert(kpi: string, { id, labels, annotations }: Pick<Alert, 'id' | 'labels' | 'annotations'>): Address {
  const by = (labels['by'] ?? '').split(',').filter((field) => field !== '' && field !== 'total');
  const series = by.flatMap((field) => (labels[field] === undefined ? [] : [[field, labels[field]] as const]));
  const window = annotations['window'] ?? labels['window'];
  return { kpi, by, labels: Object.fromEntries(series), alert: id, ...(window ? { window } : {}) };
}

/** means reports whether an address leads to that series. */
export function means(address: Address | null, kpi: string, labels: Record<string, string>): boolean {
  if (address?.kpi !== kpi) return false;
  return address.by.every((field) => address.labels[field] === undefined || address.labels[field] === labels[field]);
}

/** isPlain tells the total as it is now from one of its series, or of its past. */
export const isPlain = ({ labels, at }: Address) => !at && Object.keys(labels).length === 0;

/** momentOf is the end of the window that is meant; null of the live one. */
export function momentOf({ at }: Address, answer: Answer | undefined): number | null {
  return answer && (at || isOver(answer)) ? instant(answer.end) : null;
}

/** completed is an address by the first breakdown of a KPI that has no total, unless it names one. */
export function completed(address: Address, { by }: Pick<Definition, 'by'>): Address {
  const first = by[0];
  if (address.by.length > 0 || first === undefined || by.some((set) => set.length === 0)) return address;
  return { ...address, by: [...first] };
}

/** windowOf is the window that the address means: by default that of the API. */
export function windowOf(address: Address, definition: Definition | undefined): string {
  const kept = definition?.windows ?? [];
  return address.window ?? (kept.includes('5m') ? '5m' : (kept[0] ?? '5m'));
}
