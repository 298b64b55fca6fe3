// The panels, put together of what @grafana/ui publishes as Grafana puts its own together.
import type {
  DataFrame,
  DisplayValueAlignmentFactors,
  FieldDisplay,
  GrafanaTheme2,
  ReduceDataOptions,
  TimeRange,
} from '@grafana/data';
import {
  applyNullInsertThreshold,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  VizOrientation,
} from '@grafana/data';
import type { VizLegendOptions } from '@grafana/schema';
import type { TableSortByFieldState, UPlotConfigBuilder } from '@grafana/ui';
import { BarGauge, BigValue, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import * as React from 'react';
import type { Panel } from './dashboard.ts';

/** A Shade is a time in which an alert fired. */
export interface Shade {
  from: number;
  to: number;
  color: string;
}

export interface Drawn {
  panel: Panel;
  frames: DataFrame[];
  span: TimeRange;
  timeZone: string;
  theme: GrafanaTheme2;
  shades: Shade[];
  width: number;
  height: number;
}

/** drawn are the kinds of panels that can be drawn. */
export const drawn: Record<string, React.FC<Drawn>> = {
  timeseries: Lines,
  stat: Stats,
  bargauge: Bars,
  table: Rows,
};

function Lines({ panel, frames, span, timeZone, shades, width, height }: Drawn) {
  // Where an interval has no sample the line has a gap.
  const gaps = React.useMemo(
    () =>
      frames.map((frame) =>
        applyNullInsertThreshold({
          frame,
          refFieldPseudoMin: span.from.valueOf(),
          refFieldPseudoMax: span.to.valueOf(),
        }),
      ),
    [frames, span],
  );
  if (frames.length === 0) return <Note height={height}>{panel.fieldConfig.defaults.noValue}</Note>;
  const legend = panel.options['legend'] as VizLegendOptions;
  return (
    <TimeSeries frames={gaps} timeRange={span} timeZone={timeZone} legend={legend} width={width} height={height}>
      {(config) => <Shades config={config} shades={shades} />}
    </TimeSeries>
  );
}

/** Shades are drawn below the lines, as Grafana draws its annotations. */
function Shades({ config, shades }: { config: UPlotConfigBuilder; shades: Shade[] }) {
  React.useLayoutEffect(() => {
    config.addHook('drawClear', ({ ctx, bbox: { left, top, width, height }, valToPos }) => {
      const place = (time: number) => Math.min(Math.max(valToPos(time, 'x', true), left), left + width);
      ctx.save();
      for (const { from, to, color } of shades) {
        const start = place(from);
        const wide = Math.max(place(to) - start, 2);
        ctx.fillStyle = color;
        ctx.globalAlpha = 0.1;
        ctx.fillRect(start, top, wide, height);
        ctx.globalAlpha = 1;
        ctx.fillRect(start, top + height - 3, wide, 3);
      }
      ctx.restore();
    });
  }, [config, shades]);
  return null;
}

type Numbers = Required<React.ComponentProps<typeof BigValue>>;
interface StatOptions extends Pick<Numbers, 'textMode' | 'colorMode' | 'graphMode' | 'justifyMode'> {
  wideLayout: boolean;
}

function Stats(given: Drawn) {
  const { theme } = given;
  const { textMode, colorMode, graphMode, justifyMode, wideLayout } = given.panel.options as unknown as StatOptions;
  return (
    <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
      {...repeated(given)}
      autoGrid
      itemSpacing={3}
      renderValue={({ value: { display }, width, height, count, alignmentFactors }) => (
        <BigValue
          value={display}
          {...{ textMode, colorMode, graphMode, justifyMode, alignmentFactors, count, width, height, theme }}
          disableWideLayout={!wideLayout}
        />
      )}
    />
  );
}

type Gauge = Required<React.ComponentProps<typeof BarGauge>>;
interface BarOptions extends Pick<Gauge, 'displayMode' | 'showUnfilled' | 'namePlacement'> {
  valueMode: Gauge['valueDisplayMode'];
  minVizHeight: number;
  maxVizHeight: number;
}

function Bars(given: Drawn) {
  const { panel, theme } = given;
  const options = panel.options as unknown as BarOptions;
  const { displayMode, showUnfilled, valueMode, namePlacement, minVizHeight, maxVizHeight } = options;
  if (given.frames.length === 0) return <Note height={given.height}>{panel.fieldConfig.defaults.noValue}</Note>;
  return (
    <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
      {...repeated(given)}
      {...{ minVizHeight, maxVizHeight }}
      itemSpacing={10}
      renderValue={({ value: { display, field }, width, height, alignmentFactors }) => (
        <BarGauge
          value={display}
          {...{ field, displayMode, showUnfilled, namePlacement, alignmentFactors, width, height, theme }}
          orientation={VizOrientation.Horizontal}
          valueDisplayMode={valueMode}
          itemSpacing={10}
        />
      )}
    />
  );
}

/** repeated shows a value for each series. */
function repeated({ panel: { options, fieldConfig }, frames, theme, timeZone, width, height }: Drawn) {
  const reduceOptions = options['reduceOptions'] as ReduceDataOptions;
  const replaceVariables = (text: string) => text;
  const asked = { data: frames, fieldConfig, reduceOptions, replaceVariables, theme, timeZone };
  return {
    getValues: () => getFieldDisplayValues(asked),
    getAlignmentFactors: getDisplayValueAlignmentFactors,
    source: frames,
    renderCounter: 0,
    orientation: options['orientation'] as VizOrientation,
    width,
    height,
  };
}

function Rows({ panel, frames: [frame], width, height }: Drawn) {
  if (!frame?.length) return <Note height={height}>{panel.fieldConfig.defaults.noValue}</Note>;
  const { sortBy, cellHeight } = panel.options as { sortBy: TableSortByFieldState[]; cellHeight: never };
  return <TableNG data={frame} sortBy={sortBy} cellHeight={cellHeight} width={width} height={height} />;
}

export function Note({ height, children }: React.PropsWithChildren<{ height: number }>) {
  return <div style={{ textAlign: 'center', lineHeight: `${height}px` }}>{children}</div>;
}
