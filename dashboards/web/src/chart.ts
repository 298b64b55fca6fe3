// One trend as a uPlot line that follows theme, language and size.
import uPlot from 'uplot';
import type { Axis, Mark } from './axis.ts';
import { marksIn, niceRange } from './axis.ts';
import type { Usual } from './band.ts';
import { usualAt } from './band.ts';
import { h, put, say } from './dom.ts';
import { formatClock, formatCount, formatDate, formatTick, formatValue, leastSpan } from './format.ts';
import type { Unit } from './format.ts';
import type { Span } from './spans.ts';
import type { Lang } from './strings.ts';
import { text } from './strings.ts';

export interface Trend {
  name: string;
  unit: Unit;
  currency: string | undefined;
  lang: Lang;
  /** Whether the marks are days. */
  byDay: boolean;
  axis: Axis;
  marks: readonly Mark[];
  /** When alerts about it fired. */
  spans: readonly Span[];
  /** What is usual, where that is known. */
  band?: readonly Usual[];
  /** The moment that is meant. */
  at?: number;
}

const dateRoom = 60;
const [minute, hour, day] = [60, 3_600, 86_400];
const stops = [1, 2, 5, 10, 15, 30].map((amount) => amount * minute);
const longStops = [1, 2, 3, 6, 12].map((amount) => amount * hour);
const dayStops = [1, 2, 7, 14].map((amount) => amount * day);
const wholes = Array.from({ length: 15 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
const axisFont = '11px Inter, system-ui, sans-serif';

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  private readonly canvas = h('div', { class: 'plot', role: 'img' });
  private readonly tip = h('output', { class: 'plot-tip', 'aria-hidden': 'true' });
  readonly element = h('div', { class: 'trend' }, this.canvas, this.tip);
  private plot: uPlot | undefined;
  private trend: Trend | undefined;
  private shown: Mark[] = [];

  constructor(private readonly height = 92) {
    this.element.style.height = `${height}px`;
    new ResizeObserver(() => {
      const width = this.canvas.clientWidth;
      if (width > 0 && this.plot && this.plot.width !== width) this.plot.setSize({ width, height });
    }).observe(this.canvas);
    themes.add(() => this.plot?.redraw(false, true));
  }

  clear(): void {
    this.plot?.destroy();
    this.plot = undefined;
    put(this.canvas, 'aria-label', null);
  }

  draw(trend: Trend): void {
    // The axes of another unit are others.
    if (trend.unit !== this.trend?.unit || trend.byDay !== this.trend.byDay) this.clear();
    this.trend = trend;
    this.shown = marksIn(trend.marks, trend.axis);
    put(this.canvas, 'aria-label', this.summary());
    if (!this.plot) this.plot = this.create();
    this.plot?.setData(this.data());
  }

  private data(): uPlot.AlignedData {
    const usual = this.shown.map((mark) => usualAt(this.trend!.band ?? [], mark.end));
    return [
      this.shown.map((mark) => mark.end / 1000),
      this.shown.map((mark) => mark.value),
      usual.map((one) => one?.low ?? null),
      usual.map((one) => one?.high ?? null),
    ];
  }

  /** The chart in words, for those who do not see it. */
  private summary(): string {
    const { name, unit, currency, lang, byDay, axis, spans } = this.trend!;
    const values = this.shown.flatMap((mark) => (mark.value === null ? [] : [mark.value]));
    if (values.length === 0) return `${name}: ${text(lang, 'trend_none')}`;
    const write = (value: number) => formatValue(value, unit, lang, currency);
    const when = (at: number) => (byDay ? formatDate(at - 1) : formatClock(at, false));
    const [from, to] = byDay ? [this.shown[0]!.end, this.shown.at(-1)!.end] : [axis.from, axis.to];
    const words = text(lang, 'trend_label', {
      name,
      from: when(from),
      to: when(to),
      low: write(values.reduce((a, b) => Math.min(a, b))),
      high: write(values.reduce((a, b) => Math.max(a, b))),
      last: write(values.at(-1)!),
    });
    const fired = spans.filter(({ from: start, to: end }) => start <= axis.to && (end ?? axis.to) >= axis.from);
    const last = usualAt(this.trend!.band ?? [], this.shown.at(-1)!.end);
    const usual = last ? [text(lang, 'usual', { low: write(last.low), high: write(last.high) })] : [];
    return [words, ...usual, ...fired.map((span) => `${span.rule} ${spanText(span, lang)}`)].join('. ');
  }

  private create(): uPlot | undefined {
    const width = this.canvas.clientWidth;
    if (width === 0) return undefined; // not laid out yet: the next drawing comes within a second
    const { unit, byDay } = this.trend!;
    const { height } = this;
    const edge: uPlot.Series = { stroke: () => colour('--usual'), width: 1, points: { show: false } };
    const grid = { stroke: () => colour('--grid'), width: 1 };
    const options: uPlot.Options = {
      width,
      height,
      padding: [6, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { setScale: false }, points: { size: (_, series) => (series === 1 ? 7 : 0) } },
      scales: {
        x: { range: () => this.reach() },
        y: { range: (_, low, high) => this.range(low, high) },
      },
      axes: [
        {
          stroke: () => colour('--faint'),
          font: axisFont,
          size: 20,
          gap: 4,
          grid: { show: false },
          ticks: { show: false },
          ...(byDay ? { splits: (plot) => this.dated(plot.width) } : { incrs: [...stops, ...longStops, ...dayStops] }),
          values: (_, ticks, __, ___, step) =>
            ticks.map((at) => {
              if (byDay) return formatDate(at * 1000 - 1).slice(5);
              return step >= day ? formatDate(at * 1000).slice(5) : formatClock(at * 1000, false);
            }),
        },
        {
          stroke: () => colour('--faint'),
          font: axisFont,
          size: 56,
          gap: 6,
          space: 18,
          grid,
          ticks: { show: false },
          // Things and minor units come whole.
          ...(unit === 'count' || unit === 'money' ? { incrs: wholes } : {}),
          values: (_, ticks, __, ___, step) =>
            ticks.map((at) => formatTick(at, step, unit, this.trend!.lang, this.trend!.currency)),
        },
      ],
      series: [
        {},
        {
          stroke: () => colour('--line'),
          // An area says how much there is, which it cannot where the axis is cut.
          fill: (plot) => (byDay ? colour('--line') : plot.scales['y']!.min === 0 ? colour('--fill') : 'transparent'),
          width: byDay ? 0 : 1.75,
          ...(byDay ? { paths: this.bars() } : {}),
          // A lone value between two gaps, and the first ones seen, have no line.
          points: { show: (_, __, first, last) => !byDay && last - first < 3, size: 5, fill: () => colour('--line') },
        },
        edge,
        edge,
      ],
      bands: [{ series: [3, 2], fill: () => colour('--usual') }],
      hooks: { setCursor: [(plot) => this.point(plot)], drawClear: [(plot) => this.shade(plot)] },
    };
    return new uPlot(options, this.data(), this.canvas);
  }

  /** bars are solid for days that are over. */
  private bars(): uPlot.Series.PathBuilder {
    const fills = () => this.shown.map((mark) => colour(mark.open ? '--bar' : '--line'));
    return uPlot.paths.bars!({ size: [0.7], disp: { fill: { unit: 3, values: fills } } });
  }

  /** shade puts the time in which alerts fired behind the line, and the moment that is meant. */
  private shade(plot: uPlot): void {
    const { axis, byDay, spans, at } = this.trend!;
    const { ctx, bbox } = plot;
    const x = (ms: number) => {
      const [from, to] = this.reach();
      return plot.valToPos(Math.min(Math.max(ms / 1000, from), to), 'x', true);
    };
    ctx.save();
    for (const { from, to } of byDay ? [] : spans) {
      if (from > axis.to || (to ?? axis.to) < axis.from) continue;
      const [left, width] = [x(from), Math.max(2, x(to ?? axis.to) - x(from))];
      ctx.fillStyle = colour('--alert-ground');
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.fillStyle = colour('--alert');
      ctx.fillRect(left, bbox.top, width, 2 * devicePixelRatio);
    }
    if (at !== undefined) {
      ctx.fillStyle = colour('--mark');
      ctx.fillRect(x(at), bbox.top, 1.5 * devicePixelRatio, bbox.height);
    }
    ctx.restore();
  }

  /** reach is the span of time drawn: days have their width. */
  private reach(): [number, number] {
    const { axis, byDay } = this.trend!;
    if (!byDay || this.shown.length === 0) return [axis.from / 1000, axis.to / 1000];
    return [this.shown[0]!.end / 1000 - 43_200, this.shown.at(-1)!.end / 1000 + 43_200];
  }

  private range(low: number | null, high: number | null): [number, number] {
    const { unit, currency, byDay } = this.trend!;
    const least = leastSpan(unit, currency);
    if (low == null || high == null) return [0, least];
    return niceRange(byDay ? 0 : low, high, least); // a bar stands on zero
  }

  /** dated are the days that have room for their date on the axis, today among them. */
  private dated(width: number): number[] {
    const days = this.shown.length;
    const apart = Math.max(1, Math.ceil((days * dateRoom) / width));
    return this.shown.filter((_, index) => (days - 1 - index) % apart === 0).map((mark) => mark.end / 1000);
  }

  private point(plot: uPlot): void {
    const mark = plot.cursor.idx == null ? undefined : this.shown[plot.cursor.idx];
    const trend = this.trend;
    this.tip.hidden = !mark || !trend || (plot.cursor.left ?? -1) < 0;
    if (this.tip.hidden || !mark || !trend) return;
    const value = formatValue(mark.value, trend.unit, trend.lang, trend.currency);
    const n = trend.unit === 'percent' && mark.n !== undefined ? ` · n ${formatCount(mark.n, trend.lang)}` : '';
    const long = trend.axis.to - trend.axis.from > day * 1000;
    const clock = long ? `${formatDate(mark.end)} ${formatClock(mark.end, false)}` : formatClock(mark.end);
    const usual = usualAt(trend.band ?? [], mark.end);
    const write = (end: number) => formatValue(end, trend.unit, trend.lang, trend.currency);
    const band = usual ? ` · ${text(trend.lang, 'usual', { low: write(usual.low), high: write(usual.high) })}` : '';
    say(this.tip, `${trend.byDay ? formatDate(mark.end - 1) : clock}  ${value}${n}${band}`);
  }
}

/** spanText says when an alert fired. */
export function spanText({ from, to }: Span, lang: Lang): string {
  if (to === null) return text(lang, 'since', { time: formatClock(from) });
  return `${formatClock(from)} – ${formatClock(to)}`;
}

const themes = new Set<() => void>();

/** themeChanged paints all charts in the colours now in force. */
export function themeChanged(): void {
  for (const paint of themes) paint();
}
