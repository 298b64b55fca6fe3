// The editors' words in both languages. {name} is filled in by say().
import type { Lang } from '../../../web/src/strings.ts';
import { fieldName, labelName } from '../../../web/src/strings.ts';

export type { Lang };
export { fieldName };

/** langOf is the language of the editors for that of Grafana's user. */
export const langOf = (user: string | undefined): Lang => (user?.toLowerCase().startsWith('zh') ? 'zh' : 'en');

const words = {
  ask: { en: 'Ask for', zh: '查询' },
  kpi: { en: 'KPIs', zh: '指标' },
  users: { en: 'Users', zh: '用户' },
  alerts: { en: 'Alerts', zh: '告警' },
  revisions: { en: 'Restatements', zh: '数据修订' },
  alerts_help: {
    en: 'The alerts that are pending or firing, and those that are resolved: a table in panels, spans of time as annotations.',
    zh: '待定、触发中与已恢复的告警：在面板中为表格，作为注释时为时间段。',
  },
  revisions_help: {
    en: 'The windows that late events changed after they had closed.',
    zh: '窗口关闭之后，被迟到事件修订过的窗口。',
  },

  freshness: { en: 'Freshness', zh: '数据延迟' },
  freshness_help: {
    en: 'How far the watermark, up to which all numbers are computed, is behind the clock, in seconds.',
    zh: '水位线（全部指标已计算到的时间）落后于当前时间的秒数。',
  },

  presets: { en: 'Presets', zh: '常用查询' },
  retention: { en: 'Retention triangle', zh: '留存三角' },
  funnel: { en: 'Funnel', zh: '漏斗' },
  lifecycle: { en: 'Lifecycle', zh: '用户生命周期' },
  at_risk: { en: 'Users at risk', zh: '流失风险用户' },

  kpis: { en: 'KPIs', zh: '指标' },
  one_kpi: { en: 'KPI', zh: '指标' },
  kpis_placeholder: { en: 'Name or title', zh: '名称或标题' },
  window: { en: 'Window', zh: '窗口' },
  own_window: { en: "The KPI's own", zh: '指标默认' },
  window_day: { en: 'Business day', zh: '自然日' },
  window_today: { en: 'Today so far', zh: '当日累计' },
  breakdown: { en: 'Break down by', zh: '维度' },
  total: { en: 'Total', zh: '合计' },
  variable: { en: 'Variables', zh: '变量' },

  filters: { en: 'Filters', zh: '筛选' },
  add_filter: { en: 'Add filter', zh: '添加筛选' },
  remove_filter: { en: 'Remove the filter by {field}', zh: '移除筛选 {field}' },
  filter_field: { en: 'Filter {place}: field', zh: '筛选 {place}：字段' },
  filter_op: { en: 'Filter {place}: how', zh: '筛选 {place}：方式' },
  filter_values: { en: 'Filter {place}: values', zh: '筛选 {place}：取值' },
  field: { en: 'Field', zh: '字段' },
  one_of: { en: 'is one of', zh: '属于' },
  matches: { en: 'matches', zh: '匹配' },
  any_value: { en: 'Any value', zh: '任意值' },
  expression: { en: 'Expression (RE2) for the whole value', zh: '匹配整个取值的正则（RE2）' },

  show: { en: 'Show', zh: '展示' },
  series: { en: 'Series', zh: '序列' },
  latest: { en: 'Latest', zh: '最新值' },
  table: { en: 'Table', zh: '表格' },
  triangle: { en: 'Triangle', zh: '三角' },
  value_of: { en: 'Value', zh: '取值' },
  value: { en: 'Value', zh: '指标值' },
  numerator: { en: 'Numerator', zh: '分子' },
  denominator: { en: 'Denominator', zh: '分母' },
  n: { en: 'What it rests on (n)', zh: '样本量（n）' },
  low: { en: 'Lower bound', zh: '下限' },
  high: { en: 'Upper bound', zh: '上限' },
  compare: { en: 'Compare with', zh: '对比' },
  no_comparison: { en: 'Nothing', zh: '不对比' },
  previous: { en: 'Window before', zh: '上一窗口' },
  yesterday: { en: 'Yesterday', zh: '昨日' },
  last_week: { en: 'Last week', zh: '上周同期' },
  top: { en: 'Largest', zh: '前几名' },
  every_series: { en: 'All series', zh: '全部序列' },
  bounds: { en: 'Bounds', zh: '上下限' },
  bounds_help: { en: 'The 95 % interval as fields of its own', zh: '95% 置信区间作为单独字段' },
  minor: { en: 'Minor units', zh: '最小货币单位' },
  minor_help: { en: 'Amounts as they are stored, such as cents', zh: '金额按存储单位显示，如分' },
  closed: { en: 'Only what is over', zh: '仅已结束' },
  closed_help: { en: 'The last window that is over, not the live one', zh: '最近一个已结束的窗口，而非进行中的窗口' },
  live: { en: 'Live', zh: '实时' },
  live_help: { en: 'Goes on by itself while the time range ends now', zh: '时间范围到当前时，数据自动更新' },

  segment: { en: 'Segment', zh: '分群' },
  no_segment: { en: 'Any', zh: '不限' },
  segment_at_risk: { en: 'At risk', zh: '流失风险' },
  segment_churned: { en: 'Churned', zh: '已流失' },
  segment_declining: { en: 'Declining', zh: '活跃下降' },
  segment_new: { en: 'New', zh: '新用户' },
  segment_loyal: { en: 'Loyal', zh: '忠诚' },
  active: { en: 'Active on', zh: '活跃日期' },
  not_active: { en: 'Not active on', zh: '未活跃日期' },
  days_placeholder: { en: '2026-11-01..2026-11-07', zh: '2026-11-01..2026-11-07' },
  days_wrong: {
    en: 'Give a day, or two with .. between: 2026-11-01..2026-11-07',
    zh: '请输入一天，或用 .. 连接的两天：2026-11-01..2026-11-07',
  },
  limit: { en: 'At most', zh: '最多' },
  whole_number: { en: 'Give a whole number from {from} to {to}', zh: '请输入 {from} 到 {to} 的整数' },
  segment_or_days: { en: 'Choose a segment, or give days on which they were active', zh: '请选择分群，或填写活跃日期' },

  values_of: { en: 'Values of a field', zh: '字段取值' },
  names_of: { en: 'Names of KPIs', zh: '指标名称' },

  not_loaded: {
    en: 'The KPIs cannot be listed, so nothing can be checked here',
    zh: '无法列出指标，因此这里无法检查',
  },
  unknown_kpis: { en: 'Tidewatch has no KPI {names}', zh: 'Tidewatch 没有指标 {names}' },
  window_not_kept: { en: '{window} is not kept: choose {windows}', zh: '未保留 {window}：可选 {windows}' },
  no_common_window: {
    en: 'These KPIs have no window in common: leave each its own, or ask for them in queries of their own',
    zh: '这些指标没有共同的窗口：请使用指标默认窗口，或分别查询',
  },
  by_not_kept: { en: 'Not kept by {by}', zh: '未按 {by} 保留' },
  filter_not_kept: { en: 'Not kept by {field}', zh: '未按 {field} 保留' },
  filter_not_beside: { en: 'Not kept by {field} beside {by}', zh: '未同时按 {by} 与 {field} 保留' },
  no_triangle: {
    en: 'A triangle needs KPIs whose days are final later, such as retention',
    zh: '三角需要日后才确定的按日指标，如留存',
  },
  value_not_had: { en: 'Not every KPI here has: {value}', zh: '并非所有指标都有：{value}' },
  not_in_triangle: { en: 'Not in a triangle', zh: '三角中不可用' },
  no_bounds: { en: 'None of these KPIs has bounds', zh: '这些指标没有上下限' },
  no_money: { en: 'None of these KPIs is an amount', zh: '这些指标不是金额' },
  not_live: {
    en: 'Only series and the latest value of the live window are live',
    zh: '仅序列与进行中窗口的最新值支持实时',
  },
  not_closed: { en: 'Series have only what is over', zh: '序列只含已结束的窗口' },
  no_users: { en: 'Users are known only with a KPI over active days', zh: '需要有基于活跃日的指标才有用户' },
  users_not_by: { en: 'Users cannot be chosen by {field}', zh: '不能按 {field} 筛选用户' },

  tidewatch: { en: 'Tidewatch', zh: 'Tidewatch' },
  token: { en: 'Token', zh: '令牌' },
  token_help: {
    en: 'Sent as bearer by the server, never to browsers. Leave it empty where nothing asks for one',
    zh: '由服务端作为 Bearer 发送，不会传到浏览器。无需令牌时留空',
  },
  titles_in: { en: 'Titles in', zh: '标题语言' },
  titles_in_help: { en: 'The language of what series and columns are called', zh: '序列与列名称的语言' },
} satisfies Record<string, Record<Lang, string>>;

export type Word = keyof typeof words;

/** say fills in a text of the table. */
export function say(lang: Lang, word: Word, values: Record<string, string> = {}): string {
  return words[word][lang].replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

const lengths: Record<string, Record<Lang, string>> = {
  s: { en: ' s', zh: ' 秒' },
  m: { en: ' min', zh: ' 分钟' },
  h: { en: ' h', zh: ' 小时' },
  d: { en: ' days', zh: ' 天' },
};

/** windowName says a window; one that reads like none is left as it is. */
export function windowName(window: string, lang: Lang): string {
  if (window === 'day' || window === 'today') return say(lang, `window_${window}`);
  const [, amount, letter] = /^(\d+)([smhd])$/.exec(window) ?? [];
  return amount && letter ? amount + lengths[letter]![lang] : window;
}

/** fieldsName says a breakdown, the empty one being the total. */
export const fieldsName = (fields: readonly string[], lang: Lang) =>
  fields.length === 0 ? say(lang, 'total') : fields.map((field) => fieldName(field, lang)).join(' × ');

/** valueName says a value of a field where it is a word of the service. */
export const valueName = (value: string, lang: Lang, field: string) => labelName(value, lang, field);

/** segmentName says a segment of users. */
export function segmentName(segment: string, lang: Lang): string {
  const word = `segment_${segment}`;
  return Object.hasOwn(words, word) ? say(lang, word as Word) : labelName(segment, lang, 'segment');
}
