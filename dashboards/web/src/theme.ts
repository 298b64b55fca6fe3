// Light, dark, or as the system says; kept for the next visit.
import { themeChanged } from './chart.ts';
import { put } from './dom.ts';

export type Theme = 'auto' | 'light' | 'dark';

const order: readonly Theme[] = ['auto', 'light', 'dark'];
const place = 'tidewatch.theme';

/** currentTheme is the one in force; ?theme= in the address wins, for wall displays. */
export function currentTheme(): Theme {
  const asked = new URLSearchParams(location.search).get('theme') ?? load();
  return order.find((theme) => theme === asked) ?? 'auto';
}

export function applyTheme(theme: Theme): void {
  put(document.documentElement, 'data-theme', theme === 'auto' ? null : theme);
  themeChanged();
}

/** nextTheme goes on to the next theme and keeps it. */
export function nextTheme(theme: Theme): Theme {
  const next = order[(order.indexOf(theme) + 1) % order.length]!;
  try {
    localStorage.setItem(place, next);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
  applyTheme(next);
  return next;
}

function load(): string | null {
  try {
    return localStorage.getItem(place);
  } catch {
    return null;
  }
}

/** followSystem repaints the charts when the system changes its mind. */
export function followSystem(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', themeChanged);
}
