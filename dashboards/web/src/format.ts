// Numbers and times as a person reads them. Without a value there is a dash,
// never a zero.
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

export const dash = '–';

export type Unit = 'count' | 'percent' | 'money' | 'seconds' | 'number';

const locales: Record<Lang, string> = { en: 'en-US', zh: 'zh-CN' };
const formatters = new Map<string, Intl.NumberFormat>();

function number(lang: Lang, value: number, options: Intl.NumberFormatOptions): string {
  const key = lang + JSON.stringify(options);
  let formatter = formatters.get(key);
  if (!formatter) formatters.set(key, (formatter = new Intl.NumberFormat(locales[lang], options)));
  return formatter.format(value);
}

function fixed(digits: number): Intl.NumberFormatOptions {
  return { minimumFractionDigits: digits, maximumFractionDigits: digits };
}

/** formatCount writes whole numbers in full up to ten million, then shortened. */
export function formatCount(value: number | null | undefined, lang: Lang): string {
  if (value == null) return dash;
  if (Math.abs(value) < 1e7) return number(lang, value, { maximumFractionDigits: 0 });
  return number(lang, value, { notation: 'compact', minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** formatExact writes all digits. */
export function formatExact(value: number | null | undefined, lang: Lang): string {
  return value == null ? dash : number(lang, value, { maximumFractionDigits: 6 });
}

/** formatPercent writes a share: two decimals below 10 %, one above; a trace is no zero. */
export function formatPercent(share: number | null | undefined, lang: Lang): string {
  if (share == null) return dash;
  if (share > 0 && share < 0.00005) return `<${number(lang, 0.0001, { style: 'percent', ...fixed(2) })}`;
  return number(lang, share, { style: 'percent', ...fixed(Math.abs(share) < 0.09995 ? 2 : 1) });
}

/** formatShare writes a share in whole percents, rounded down: 100 % is all of it. */
export const formatShare = (share: number, lang: Lang) =>
  number(lang, Math.floor(share * 100 + 1e-9) / 100, { style: 'percent', ...fixed(0) });

/** isCurrency tells codes that can be written from what else an event may call its currency. */
const isCurrency = (code: string | undefined): code is string => /^[A-Za-z]{3}$/.test(code ?? '');

/** minorDigits is the number of decimals of a currency: 2 for CNY, 0 for JPY. */
export function minorDigits(currency: string | undefined): number {
  if (!isCurrency(currency)) return 2;
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** From where on an amount is shortened, in the units that people count money in: millions, and 万. */
const short: Record<Lang, number> = { en: 1e6, zh: 1e4 };

/** formatMoney takes minor units. From 10,000 on it leaves the decimals out, then shortens, unless asked for all. */
export function formatMoney(
  minor: number | null | undefined,
  currency: string | undefined,
  lang: Lang,
  exact = false,
): string {
  if (minor == null) return dash;
  if (!isCurrency(currency)) return number(lang, minor / 100, fixed(2));
  const digits = minorDigits(currency);
  const major = minor / 10 ** digits;
  const style = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' } as const;
  if (exact) return number(lang, major, { ...style, ...fixed(digits) });
  if (Math.abs(major) >= short[lang]) return number(lang, major, { ...style, notation: 'compact', ...fixed(2) });
  return number(lang, major, { ...style, ...fixed(Math.abs(major) < 1e4 ? digits : 0) });
}

/** formatMinor writes an amount of which it is not known how many minor units make one. */
export const formatMinor = (minor: number, lang: Lang) => text(lang, 'minor_units', { amount: formatExact(minor, lang) });

/** formatValue writes a KPI's value in its unit. */
export function formatValue(value: number | null | undefined, unit: Unit, lang: Lang, currency?: string): string {
  switch (unit) {
    case 'count':
      return formatCount(value, lang);
    case 'percent':
      return formatPercent(value, lang);
    case 'money':
      return formatMoney(value, currency, lang);
    case 'seconds':
      return formatDuration(value, lang);
    case 'number':
      return formatPlain(value, lang);
  }
}

/** formatBound writes what a value is held against, with all its digits. */
export function formatBound(value: number, unit: Unit, lang: Lang, currency?: string): string {
  if (unit === 'percent') return number(lang, value, { style: 'percent', maximumFractionDigits: 6 });
  if (unit === 'money') return [formatMoney(value, currency, lang, true), currency].filter(Boolean).join(' ');
  return unit === 'seconds' ? formatDuration(value, lang) : formatExact(value, lang);
}

/** formatPlain writes a number of unknown unit with four significant digits. */
export function formatPlain(value: number | null | undefined, lang: Lang): string {
  return value == null ? dash : number(lang, value, { maximumSignificantDigits: 4 });
}

/** formatTick writes a value in the little room beside an axis, with the decimals that its distance to the next asks for. */
export function formatTick(value: number, step: number, unit: Unit, lang: Lang, currency?: string): string {
  const scale = unit === 'percent' ? 100 : unit === 'money' ? 1 / 10 ** minorDigits(currency) : 1;
  const decimals = fixed(Math.max(0, -Math.floor(Math.log10(step * scale) + 1e-9)));
  if (unit === 'percent') return number(lang, value, { style: 'percent', ...decimals });
  const most = unit === 'money' ? short[lang] : 1e6;
  if (Math.abs(value * scale) < most) return number(lang, value * scale, decimals);
  return number(lang, value * scale, { notation: 'compact', maximumSignificantDigits: 5 });
}

/** leastSpan is the smallest difference worth an axis: a thing, a unit of the currency, a fifth of a percent. */
export function leastSpan(unit: Unit, currency?: string): number {
  if (unit === 'percent') return 0.002;
  return unit === 'money' ? 10 ** minorDigits(currency) : 1;
}

const ages = [
  { ms: 365.25 * 864e5, en: 'y', zh: '年' },
  { ms: 864e5, en: 'd', zh: '天' },
  { ms: 36e5, en: 'h', zh: '小时' },
  { ms: 6e4, en: 'min', zh: '分钟' },
  { ms: 1e3, en: 's', zh: '秒' },
] as const;

const ageUnit = (ms: number) => ages.find((age) => ms >= age.ms) ?? ages[4];

/** formatDuration takes seconds, which it rounds to three digits of their largest unit: "14.9 s", "1.11 min". */
export function formatDuration(seconds: number | null | undefined, lang: Lang): string {
  if (seconds == null) return dash;
  const unit = ageUnit(Math.abs(seconds * 1000));
  const amount = number(lang, (seconds * 1000) / unit.ms, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
  return `${amount} ${unit[lang]}`;
}

/** formatAge writes how long ago something was, in its largest unit: "1.8 s", "3.0 h". */
export function formatAge(ms: number | null | undefined, lang: Lang): string {
  if (ms == null) return dash;
  const span = Math.max(0, ms);
  const unit = ageUnit(span);
  const amount = span / unit.ms;
  const digits = amount < 10 ? 1 : 0;
  const floor = Math.floor(amount * 10 ** digits) / 10 ** digits; // an age is never rounded up
  return `${number(lang, floor, fixed(digits))} ${unit[lang]}`;
}

/** formatWindow writes the name of a window: "5 min", or of one that the calendar cuts. */
export function formatWindow(window: string, lang: Lang): string {
  const [, amount, letter] = /^(\d+)([smhd])$/.exec(window) ?? [];
  const unit = ages.find(({ en }) => en[0] === letter);
  if (unit) return `${amount} ${unit[lang]}`;
  return text(lang, window === 'today' ? 'window_today' : 'window_day');
}

/** formatLength writes a length of time as Prometheus and Go have it: "1h30m" and "1h30m0s" are "1 h 30 min". */
export function formatLength(length: string, lang: Lang): string {
  const parts = [...length.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g)];
  const told = parts.filter(([, amount]) => Number(amount) > 0);
  const words = (told.length > 0 ? told : parts.slice(-1)).map(([whole, amount, letter]) => {
    const unit = ages.find(({ en }) => en[0] === letter);
    return unit ? `${amount} ${unit[lang]}` : whole;
  });
  return words.join(' ');
}

/** formatChange writes how much more there is than before, as a share of that; undefined without either. */
export function formatChange(
  value: number | null | undefined,
  before: number | null | undefined,
  lang: Lang,
): string | undefined {
  if (value == null || !before) return undefined;
  const change = value / before - 1;
  return number(lang, change, {
    style: 'percent',
    signDisplay: 'exceptZero',
    ...fixed(Math.abs(change) < 0.0995 ? 1 : 0),
  });
}

let zone = zoneOf(undefined);
let offsets = offsetsOf(undefined);

function zoneOf(timeZone: string | undefined): Intl.DateTimeFormat {
  // Swedish writes ISO 8601.
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
}

function offsetsOf(timeZone: string | undefined): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'shortOffset' });
}

/** inZone has times written in the zone in which business days are cut; by default it is the browser's. */
export function inZone(timeZone: string): void {
  if (timeZone === zoneName()) return;
  try {
    zone = zoneOf(timeZone);
    offsets = offsetsOf(timeZone);
  } catch {
    // The browser is older than the zone: its own stays, and the page says which.
  }
}

/** zoneName is the zone in which times are written. */
export function zoneName(): string {
  return zone.resolvedOptions().timeZone;
}

/** formatClock writes the time of day. */
export function formatClock(ms: number | null | undefined, seconds = true): string {
  return ms == null ? dash : zone.format(ms).slice(11, seconds ? undefined : 16);
}

/** formatDate writes the date, as ISO 8601. */
export function formatDate(ms: number): string {
  return zone.format(ms).slice(0, 10);
}

/** formatMoment writes the time of day, with the date when it is not today's. */
export function formatMoment(ms: number | null | undefined, now: number): string {
  if (ms == null) return dash;
  return sameDay(ms, now) ? formatClock(ms) : `${formatDate(ms)} ${formatClock(ms)}`;
}

/** formatInstant is formatMoment with the zone, where it is read apart from what says in which times are. */
export const formatInstant = (ms: number | null | undefined, now: number) => (ms == null ? dash : `${formatMoment(ms, now)} ${zoneOffset(ms)}`);

/** zoneOffset is how far the zone of the times is from UTC at one: "UTC+8". */
export function zoneOffset(ms: number): string {
  const name = offsets.formatToParts(ms).find(({ type }) => type === 'timeZoneName');
  return (name?.value ?? '').replace(/^GMT(\+0$)?/, 'UTC');
}

/** dayBefore is the same time of the day before, by clocks that may have changed in between. */
export function dayBefore(ms: number): number {
  const clock = (at: number) => Date.parse(`${zone.format(at).replace(' ', 'T')}Z`);
  return ms - 2 * 864e5 + clock(ms) - clock(ms - 864e5);
}

/** sameDay compares dates. */
export function sameDay(a: number, b: number): boolean {
  return formatDate(a) === formatDate(b);
}
