// A panel's field config on its data, as Grafana's panels find it.
import type { DataFrame, FieldConfigPropertyItem, GrafanaTheme2, ThresholdsConfig } from '@grafana/data';
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  Registry,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import type { Panel } from './dashboard.ts';

standardTransformersRegistry.setInit(() =>
  [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer].map((transformer) => ({
    id: transformer.id,
    name: transformer.name,
    transformation: async () => transformer,
    editor: () => null,
    imageDark: '',
    imageLight: '',
  })),
);

/** transformed is what a panel's transformations make of the answers. */
export const transformed = ({ transformations }: Panel, frames: DataFrame[]): Promise<DataFrame[]> =>
  lastValueFrom(transformDataFrame(transformations ?? [], frames, { interpolate: (text) => text }));

/** configured has for each field what the panel says of it, and how its values are shown. */
export function configured({ fieldConfig }: Panel, frames: DataFrame[], theme: GrafanaTheme2, timeZone: string) {
  const properties = fieldConfig.overrides.flatMap(({ properties }) => properties);
  const { custom, ...defaults } = fieldConfig.defaults;
  openBelow(defaults.thresholds);
  for (const { id, value } of properties) if (id === 'thresholds') openBelow(value as ThresholdsConfig);
  const ids = new Set([
    ...Object.keys(defaults),
    ...Object.keys(custom ?? {}).map((name) => `custom.${name}`),
    ...properties.map(({ id }) => id),
  ]);
  const found = applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: new Registry(() => [...ids].map(property)) as never,
    replaceVariables: (text) => text,
    theme,
    timeZone,
  });
  cacheFieldDisplayNames(found);
  return found;
}

/** openBelow says minus infinity for the lowest threshold, for which JSON has null. */
function openBelow(thresholds: ThresholdsConfig | undefined): void {
  const lowest = thresholds?.steps[0];
  if (lowest) lowest.value ??= -Infinity;
}

/** property takes what is said as it stands: the editors, which Grafana keeps to itself, are for changing it. */
const property = (id: string): FieldConfigPropertyItem =>
  ({ id, path: id, name: id, process: (value: unknown) => value, shouldApply: () => true }) as never;
