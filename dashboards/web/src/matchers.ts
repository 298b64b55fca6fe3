// What a silence silences, until when, and how that is said.
import type { Alert, Matcher, Silence } from './api.ts';
import { formatInstant } from './format.ts';
import { labelsOf } from './labels.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

type Labels = Record<string, string>;

/** A Scope is a set of alerts that can be silenced: this one, those of its group, those of its rule. */
export interface Scope {
  name: 'alert' | 'group' | 'rule';
  labels: Labels;
}

const same = (a: Labels, b: Labels) =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value);

/** covers reports whether an alert has all these labels. */
export const covers = (scope: Labels, labels: Labels) =>
  Object.entries(scope).every(([name, value]) => labels[name] === value);

/** scopesOf lists what can be silenced of an alert, the narrowest first. The groups are those of Alertmanager's API. */
export function scopesOf(alert: Pick<Alert, 'labels'>, groups: readonly { labels: Labels; alerts: { labels: Labels }[] }[] = []): Scope[] {
  const { labels } = alert;
  const rule = labels['alertname'] ? { alertname: labels['alertname'] } : labels;
  const scopes: Scope[] = [{ name: 'alert', labels }];
  for (const group of groups) {
    const own = group.alerts.some((one) => same(one.labels, labels));
    // A group of all alerts has no labels to silence it by.
    if (own && Object.keys(group.labels).length > 0) scopes.push({ name: 'group', labels: group.labels });
  }
  scopes.push({ name: 'rule', labels: rule });
  return scopes.filter((scope, index) => scopes.findIndex((one) => same(one.labels, scope.labels)) === index);
}

/** How long a silence can last: until what it silences is resolved, or so many hours. */
export const lengths = ['resolved', '0.5', '2', '8', '24', '168'] as const;
export type Length = (typeof lengths)[number];

const hour = 3_600_000;

/** An acknowledgement is over after that long at the latest. */
const longest = 30 * 24 * hour;

/** A Draft is what a person says of a silence. */
interface Draft {
  labels: Labels;
  length: Length;
  author: string;
  comment: string;
}

/** silenceOf is a draft as Alertmanager's API takes it; now is the service's time. */
export function silenceOf({ labels, length, author, comment }: Draft, now: number): Omit<Silence, 'id' | 'status'> {
  const resolved = length === 'resolved';
  return {
    matchers: Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
    startsAt: new Date(now).toISOString(), // the service begins no earlier than at once
    endsAt: new Date(now + (resolved ? longest : Number(length) * hour)).toISOString(),
    createdBy: author,
    comment,
    ...(resolved ? { annotations: { until: 'resolved' } } : {}),
  };
}

/** matchersText writes what a silence silences: as alerts are written, if it is of exact labels. */
export function matchersText(matchers: readonly Matcher[], lang: Lang): string {
  if (matchers.every(({ isRegex, isEqual }) => !isRegex && isEqual !== false)) {
    const labels = Object.fromEntries(matchers.map(({ name, value }) => [name, value]));
    return [labels['alertname'], labelsOf(labels, lang)].filter(Boolean).join(' · ');
  }
  const sign = ({ isRegex, isEqual }: Matcher) => (isEqual === false ? '!' : '=') + (isRegex ? '~' : isEqual === false ? '=' : '');
  return matchers.map((one) => `${one.name}${sign(one)}${one.value}`).join(' · ');
}

/** untilText says when a silence ends. */
export function untilText({ annotations, endsAt }: Pick<Silence, 'annotations' | 'endsAt'>, lang: Lang, now: number): string {
  if (annotations?.['until'] === 'resolved') return text(lang, 'until_resolved');
  return text(lang, 'until', { time: formatInstant(Date.parse(endsAt), now) });
}
