// Dashboards over a Prometheus API, drawn with Grafana's libraries, without its server.
import type { DataFrame, TimeRange } from '@grafana/data';
import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, InlineLabel, PanelChrome } from '@grafana/ui';
import * as React from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { Source } from './ask.ts';
import type { Dashboard, Panel } from './dashboard.ts';
import { pictures, spanName, spanOf } from './dashboard.ts';
import { configured, transformed } from './fields.ts';
import type { Shade } from './panels.tsx';
import { drawn, Note } from './panels.tsx';

declare global {
  interface Window {
    /** draw puts a dashboard on the page, a section for each picture, and is done when all of it stands. */
    draw(dashboard: Dashboard): Promise<void>;
  }
}

const width = 1600;
const gap = 8;
const row = 30;
const column = (width - gap) / 24;
const theme = createTheme({ colors: { mode: 'dark' } });
const element = document.getElementById('root')!;
const root = createRoot(element);

// Text is measured and put on canvases with what fonts there are.
flushSync(() => root.render(<Themed />));
await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 12px Inter`)));

function Themed({ children }: React.PropsWithChildren) {
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {children}
    </ThemeContext.Provider>
  );
}

window.draw = async (dashboard) => {
  const now = Date.now();
  const span = spanOf(dashboard, now);
  const source = await Source.of(dashboard, span);
  const shades = await firing(dashboard, source, span);
  const answers = new Map<Panel, Answer>();
  for (const panel of dashboard.panels) answers.set(panel, await answer(dashboard, source, panel, now));
  const shown = { dashboard, source, shades, answers };
  flushSync(() =>
    root.render(
      <Themed>
        {pictures(dashboard).map((panels, part) => (
          <section key={part} style={{ width, background: theme.colors.background!.canvas, overflow: 'hidden' }}>
            {part === 0 && <Head dashboard={dashboard} source={source} span={span} />}
            <Grid panels={panels} {...shown} />
          </section>
        ))}
      </Themed>,
    ),
  );
  await settled();
};

/** An Answer is what a panel shows, and of when. */
interface Answer {
  span: TimeRange;
  frames: DataFrame[];
}

async function answer(dashboard: Dashboard, source: Source, panel: Panel, now: number): Promise<Answer> {
  const { targets, timeFrom, gridPos } = panel;
  const span = spanOf(dashboard, now, timeFrom);
  if (!targets) return { span, frames: [] };
  const points = Math.round(gridPos.w * column - gap);
  const found = await Promise.all(targets.map((target) => source.ask(target, span, points)));
  const frames = await transformed(panel, found.flat());
  return { span, frames: configured(panel, frames, theme, dashboard.timezone) };
}

/** firing is what a dashboard has as annotations: samples one after the other are one shade. */
async function firing({ annotations }: Dashboard, source: Source, span: TimeRange): Promise<Shade[]> {
  const shades: Shade[] = [];
  for (const { target, iconColor } of annotations.list) {
    if (!target) continue;
    const color = theme.visualization.getColorByName(iconColor);
    for (const { fields } of await source.ask(target, span, width)) {
      const { values, config } = fields[0]!;
      let last: Shade | undefined;
      for (const time of values as number[]) {
        if (last && time - last.to <= config.interval!) last.to = time;
        else shades.push((last = { from: time, to: time, color }));
      }
    }
  }
  return shades;
}

/** settled waits until all of it stands: what is measured first, and the icons. */
async function settled(): Promise<void> {
  let seen = '';
  while (seen !== element.innerHTML) {
    seen = element.innerHTML;
    await new Promise((next) => setTimeout(next, 1_000));
  }
}

function Head({ dashboard, source, span }: { dashboard: Dashboard; source: Source; span: TimeRange }) {
  return (
    <header style={{ display: 'flex', alignItems: 'center', gap, padding: `${2 * gap}px ${gap}px 0` }}>
      <h1 style={{ ...theme.typography.h3, margin: 0, flexGrow: 1 }}>{dashboard.title}</h1>
      {dashboard.templating.list.map(({ name, label }) => (
        <InlineLabel key={name} width="auto">
          {label}: {source.texts[name]}
        </InlineLabel>
      ))}
      <InlineLabel width="auto">{spanName(span)}</InlineLabel>
    </header>
  );
}

interface Shown {
  dashboard: Dashboard;
  source: Source;
  shades: Shade[];
  answers: Map<Panel, Answer>;
}

function Grid({ panels, ...shown }: Shown & { panels: Panel[] }) {
  const top = Math.min(...panels.map(({ gridPos: { y } }) => y));
  const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  return (
    <div style={{ position: 'relative', height: (bottom - top) * (row + gap) + gap }}>
      {panels.map((panel) => {
        const { x, y } = panel.gridPos;
        const at = { position: 'absolute', left: gap + x * column, top: gap + (y - top) * (row + gap) } as const;
        return (
          <div key={panel.id} style={at}>
            <Placed panel={panel} {...shown} />
          </div>
        );
      })}
    </div>
  );
}

function Placed({ panel, dashboard, source, shades, answers }: Shown & { panel: Panel }) {
  const title = source.fill(panel.title);
  if (panel.type === 'row') return <div style={{ ...theme.typography.h5, lineHeight: `${row}px` }}>{title}</div>;
  const { span, frames } = answers.get(panel)!;
  const Drawing = drawn[panel.type];
  return (
    <PanelChrome
      title={title}
      description={panel.description ?? ''}
      titleItems={panel.timeFrom && <small style={{ color: theme.colors.text!.secondary }}>{spanName(span)}</small>}
      width={panel.gridPos.w * column - gap}
      height={panel.gridPos.h * (row + gap) - gap}
    >
      {(width, height) =>
        Drawing ? (
          <Drawing {...{ panel, span, frames, shades, theme, width, height }} timeZone={dashboard.timezone} />
        ) : (
          <Note height={height}>Only a Grafana server draws this panel</Note>
        )
      }
    </PanelChrome>
  );
}
