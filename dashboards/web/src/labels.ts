// The labels of an alert in words.
import { formatWindow } from './format.ts';
import { seriesOf } from './spans.ts';
import type { Lang } from './strings.ts';

/** labelsOf writes which series an alert is about, in which window, and the labels that its rule adds. */
export function labelsOf(labels: Record<string, string>, lang: Lang): string {
  const { by = '', window, alertname: _, ...rest } = labels;
  const own = Object.entries(rest).filter(([name]) => !by.split(',').includes(name));
  const words = [
    seriesOf(labels, lang),
    window && formatWindow(window, lang),
    ...own.map(([name, value]) => `${name} ${value}`),
  ];
  return words.filter(Boolean).join(' · ');
}
