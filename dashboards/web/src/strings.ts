// Every text of the page, in both languages. {name} is filled in by text(). Before "|" is what it says where count is 1.

export const languages = ['en', 'zh'] as const;
export type Lang = (typeof languages)[number];

export const strings = {
  title: { en: 'Tidewatch', zh: 'Tidewatch 观潮' },
  tagline: { en: 'Live KPIs', zh: '实时指标' },
  skip: { en: 'Skip to the numbers', zh: '跳到指标' },

  live: { en: 'Live', zh: '实时' },
  polling: { en: 'Polling', zh: '轮询' },
  away: { en: 'Offline', zh: '离线' },
  waiting: { en: 'Not ready', zh: '未就绪' },
  empty: { en: 'No data yet', zh: '暂无数据' },
  old: { en: 'Old data', zh: '数据陈旧' },
  catching: { en: 'Catching up', zh: '追赶中' },
  watermark: { en: 'Watermark', zh: '水位线' },
  watermark_help: {
    en: 'The event time before which the input is believed complete',
    zh: '早于该事件时间的数据被认为已到齐',
  },
  behind: { en: '{age} behind', zh: '落后 {age}' },
  dated: { en: 'Data of {date}', zh: '数据日期 {date}' },
  language: { en: 'Language', zh: '语言' },
  theme_auto: { en: 'Theme: as the system', zh: '主题：跟随系统' },
  theme_light: { en: 'Theme: light', zh: '主题：浅色' },
  theme_dark: { en: 'Theme: dark', zh: '主题：深色' },

  lost: { en: 'The service has not answered since {since} ({error}).', zh: '服务自 {since} 起没有响应（{error}）。' },
  not_ready: {
    en: 'The service has not been ready since {since} ({error}).',
    zh: '服务自 {since} 起未就绪（{error}）。',
  },
  no_connection: { en: 'no connection', zh: '无法连接' },
  timeout: { en: 'no answer in time', zh: '响应超时' },
  rebuilding: { en: 'rebuilding: message {at} of {of}', zh: '正在重建：第 {at} 条消息，共 {of} 条' },
  recovering: { en: 'recovering', zh: '正在恢复' },
  shown_of: { en: 'What is shown is of {time}.', zh: '当前显示的是 {time} 的数据。' },
  shown_soon: { en: 'The numbers are shown as soon as it is.', zh: '就绪后即显示数据。' },
  nothing_shown: { en: 'It has not answered this page yet.', zh: '本页尚未收到服务的响应。' },
  catching_up: {
    en: 'Catching up: counted up to {time}, which is {age} behind. Messages still to be counted: {count}.',
    zh: '正在追赶：已计到 {time}，落后 {age}。尚待计入的消息：{count} 条。',
  },

  refused: {
    en: 'Rules and receivers were refused at {time} and are still those of {since}. Correct the files and reload: {error}',
    zh: '{time} 重新加载规则与接收方时被拒绝，仍在使用 {since} 的配置。请改正后重新加载：{error}',
  },
  refused_brief: { en: 'reload refused', zh: '重新加载被拒绝' },

  empty_title: { en: 'No events yet', zh: '还没有事件' },
  empty_text: {
    en: 'Send a few with this line; the numbers below follow within seconds.',
    zh: '用下面这行命令发送几条事件，几秒内指标就会更新。',
  },
  copy: { en: 'Copy', zh: '复制' },
  copied: { en: 'Copied', zh: '已复制' },

  tiles: { en: 'Key figures', zh: '关键指标' },

  window_day: { en: 'Today', zh: '今日' },
  window_today: { en: 'Day so far', zh: '当日累计' },
  open: { en: 'so far', zh: '进行中' },
  open_help: {
    en: 'The windows shown are not over yet: their values can still change.',
    zh: '当前显示的窗口尚未结束，数值仍会变化。',
  },
  n: { en: 'n', zh: 'n' },
  n_ratio: { en: '{numerator} of {denominator}', zh: '{denominator} 中的 {numerator}' },
  n_minor: { en: 'Amounts in the smallest unit of {currency}', zh: '金额以 {currency} 最小单位计' },
  n_interval: { en: '95 % interval {low} – {high}', zh: '95% 置信区间 {low} – {high}' },
  n_exact: { en: 'Exactly {value}', zh: '精确值 {value}' },
  n_about: { en: 'About {value}', zh: '约 {value}' },
  n_within: { en: '{value}, within {bound}', zh: '{value}，误差不超过 {bound}' },
  trend_own: { en: 'Last 15 min', zh: '最近 15 分钟' },
  trend_days: { en: 'Last 30 days', zh: '最近 30 天' },
  trend_label: {
    en: '{name}, {from} to {to}: lowest {low}, highest {high}, last {last}',
    zh: '{name}，{from} 至 {to}：最低 {low}，最高 {high}，最新 {last}',
  },
  trend_none: { en: 'No values in this time', zh: '这段时间内没有数值' },
  several_currencies: {
    en: 'In several currencies, which are not added up.',
    zh: '包含多种货币，不做相加。',
  },
  minor_units: { en: '{amount} minor units', zh: '{amount} 个最小货币单位' },
  across: { en: '{amount}, whatever the currency', zh: '{amount}，不分币种' },
  mixed: { en: 'several currencies', zh: '多种货币' },
  than_yesterday: { en: '{change} on yesterday', zh: '较昨日 {change}' },
  than_yesterday_at: { en: '{change} on yesterday, {time}', zh: '较昨日 {time} {change}' },
  both_days: {
    en: 'Until {time}: today {today}, yesterday {yesterday}',
    zh: '截至 {time}：今日 {today}，昨日 {yesterday}',
  },

  target_good: { en: 'on target', zh: '达标' },
  target_fair: { en: 'off target', zh: '未达标' },
  target_bad: { en: 'far off target', zh: '严重未达标' },
  good_up: { en: 'Good from {level} up', zh: '{level} 及以上为良好' },
  good_down: { en: 'Good from {level} down', zh: '{level} 及以下为良好' },
  bad_up: { en: 'Bad from {level} up', zh: '{level} 及以上为不佳' },
  bad_down: { en: 'Bad from {level} down', zh: '{level} 及以下为不佳' },

  own_kpis: { en: 'Own KPIs', zh: '自定义指标' },
  latest: { en: 'Latest', zh: '最新' },
  windows: { en: 'Windows', zh: '窗口' },
  breakdowns: { en: 'Breakdowns', zh: '维度' },
  total: { en: 'Total', zh: '合计' },
  region: { en: 'Region', zh: '地区' },
  device: { en: 'Device', zh: '设备' },
  currency: { en: 'Currency', zh: '货币' },
  content_id: { en: 'Content', zh: '内容' },
  creator_id: { en: 'Creator', zh: '创作者' },
  acquisition_channel: { en: 'Acquisition channel', zh: '获客渠道' },
  campaign_id: { en: 'Campaign', zh: '推广计划' },
  window_to: { en: 'to {time}', zh: '截至 {time}' },
  day_to: { en: '{date} to {time}', zh: '{date} 截至 {time}' },
  then_and_now: { en: 'The value is of {time}, the alert is as it is now.', zh: '数值截至 {time}，告警为当前情况。' },
  to_now: { en: 'To now', zh: '回到当前' },
  close: { en: 'Close', zh: '关闭' },
  no_breakdown: { en: 'There is no breakdown by {by}.', zh: '没有按“{by}”的细分。' },
  no_breakdown_total: { en: 'There is no breakdown by {by}: this is the total.', zh: '没有按“{by}”的细分，此处为合计。' },
  unseen_value: { en: '{field} “{value}” was not seen of late.', zh: '近期没有出现过{field}“{value}”。' },
  unseen_near: { en: '{field} “{value}” was not seen of late: did you mean “{near}”?', zh: '近期没有出现过{field}“{value}”，是否应为“{near}”？' },
  unknown_kpi: { en: 'The catalogue has no KPI {name}.', zh: '目录中没有指标 {name}。' },
  above_one: {
    en: 'Above 1: what it divides by lies outside the window.',
    zh: '大于 1：作为分母的事件在窗口之外。',
  },
  begins: {
    en: 'Begins before the first event, {time}: nothing is known of the time before.',
    zh: '窗口始于首个事件（{time}）之前，此前的情况未知。',
  },
  ahead: { en: 'Not begun yet: counted up to {time}.', zh: '窗口尚未开始：目前计到 {time}。' },
  ahead_of_day: {
    en: 'Not begun yet: counted up to {time}. For the whole day choose “{day}”.',
    zh: '窗口尚未开始：目前计到 {time}。要看全天，请选择“{day}”。',
  },
  rebuilt: {
    en: 'Counted anew from {time} on: what was before is missing here.',
    zh: '自 {time} 起重新计数，此前的数据未计入。',
  },
  thin: { en: 'Rests on fewer than {count}: too few to say much.', zh: '样本少于 {count}，不足以下结论。' },
  unavailable: { en: 'Not available: {error}', zh: '无法显示：{error}' },

  channels: { en: 'By channel', zh: '按渠道' },
  channel: { en: 'Channel', zh: '渠道' },
  none: { en: '(none)', zh: '（无）' },
  other: { en: 'Others', zh: '其他' },
  more: { en: 'and {count} more', zh: '另有 {count} 项' },
  no_rows: { en: 'Nothing in this window', zh: '该窗口内没有数据' },

  users: { en: 'Users', zh: '用户' },
  retention: { en: 'Retention', zh: '用户留存' },
  retention_help: {
    en: 'Of the users first seen on a day, those active so many days later',
    zh: '某日首次出现的用户中，在其后第几天活跃的比例',
  },
  retention_none: {
    en: 'Nothing yet: known when the day after the first is over.',
    zh: '暂无数值：首日的次日结束后才有。',
  },
  first_seen: { en: 'First seen', zh: '首次出现' },
  last_days: { en: 'Last {count} days', zh: '近 {count} 天' },
  leaving: { en: 'At risk and churned', zh: '流失风险与流失' },
  risk: { en: 'At risk, by name', zh: '流失风险用户名单' },
  risk_none: { en: 'Nobody is at risk.', zh: '没有处于流失风险的用户。' },
  all_channels: { en: 'All channels', zh: '全部渠道' },
  no_channel: { en: 'no channel', zh: '无渠道' },
  show_more: { en: 'More', zh: '更多' },
  days_away: { en: '1 day away|{count} days away', zh: '已离开 {count} 天' },
  usual_gap: { en: 'usually back within 1 day|usually back within {count} days', zh: '通常 {count} 天内回来' },
  gap_unknown: { en: 'no rhythm yet', zh: '尚无规律' },
  last_seen: { en: 'last seen {date}', zh: '最近活跃 {date}' },
  away_for: { en: 'Away', zh: '离开' },
  thresholds: { en: 'Thresholds', zh: '阈值' },
  thresholds_days: {
    en: 'at risk after {risk} days away, churned after {churned}',
    zh: '离开超过 {risk} 天为流失风险，超过 {churned} 天为流失',
  },
  rhythm: { en: 'Rhythm', zh: '活跃规律' },
  gaps: { en: 'Last gaps, in days', zh: '最近间隔（天）' },
  days_of_28: { en: '{days} of the last 28', zh: '近 28 天中 {days} 天' },
  last_active: { en: 'Last active', zh: '最近活跃' },
  identities: { en: 'Anonymous ids', zh: '匿名 ID' },
  last_touch: { en: 'Last touch', zh: '最近触点' },
  touch_click: { en: 'Click', zh: '点击' },
  touch_view: { en: 'Impression', zh: '曝光' },
  state_active: { en: 'Active', zh: '活跃' },
  state_at_risk: { en: 'At risk', zh: '流失风险' },
  state_churned: { en: 'Churned', zh: '已流失' },
  state_declining: { en: 'Declining', zh: '活跃下降' },
  conversion: { en: 'Conversion', zh: '转化率' },
  overall: { en: 'Overall', zh: '整体' },
  immature: { en: 'immature until {date}', zh: '未成熟，至 {date}' },
  immature_help: { en: 'May change until the end of {date}', zh: '{date} 结束前仍可能变化' },
  mature: { en: '{share} of what is expected is in', zh: '预计已到 {share}' },
  state: { en: 'State', zh: '状态' },
  step: { en: 'Step', zh: '步骤' },
  step_impression: { en: 'Impression', zh: '曝光' },
  step_click: { en: 'Click', zh: '点击' },
  step_add_to_cart: { en: 'Add to cart', zh: '加购' },
  step_order: { en: 'Order', zh: '下单' },
  step_pay: { en: 'Pay', zh: '支付' },
  segment: { en: 'Segment', zh: '分层' },
  segment_important_value: { en: 'Important, value', zh: '重要价值客户' },
  segment_important_development: { en: 'Important, development', zh: '重要发展客户' },
  segment_important_keeping: { en: 'Important, keeping', zh: '重要保持客户' },
  segment_important_recall: { en: 'Important, recall', zh: '重要挽留客户' },
  segment_general_value: { en: 'General, value', zh: '一般价值客户' },
  segment_general_development: { en: 'General, development', zh: '一般发展客户' },
  segment_general_keeping: { en: 'General, keeping', zh: '一般保持客户' },
  segment_general_recall: { en: 'General, recall', zh: '一般挽留客户' },
  event: { en: 'Event', zh: '事件' },
  of: { en: 'Of the last days', zh: '最近天数' },
  days: { en: 'Active days', zh: '活跃天数' },
  state_new: { en: 'New', zh: '新增' },
  state_returning: { en: 'Returning', zh: '留存' },
  state_resurrecting: { en: 'Resurrecting', zh: '回流' },
  state_dormant: { en: 'Dormant', zh: '沉睡' },

  contents: { en: 'Top contents', zh: '热门内容' },

  alerts: { en: 'Alerts', zh: '告警' },
  alerts_count: { en: '{firing} firing', zh: '{firing} 条触发' },
  pending_count: { en: '{count} pending', zh: '{count} 条待定' },
  alerts_quiet: { en: 'All quiet', zh: '一切正常' },
  quiet_then: { en: 'Quiet at {time}', zh: '{time} 时无告警' },
  untold: {
    en: 'Nobody is told: no receiver is configured, alerts show here alone.',
    zh: '不会通知任何人：未配置接收方，告警仅在此显示。',
  },
  listed: {
    en: '{count} of {of} alerts are listed: firing rather than pending ones, and old rather than new ones.',
    zh: '共 {of} 条告警，列出其中 {count} 条：先取触发的，再取时间较早的。',
  },
  no_data: { en: 'No data', zh: '无数据' },
  delayed: { en: 'Delayed', zh: '延迟' },
  held_count: { en: '{count} not told', zh: '{count} 条未通知' },
  silence: { en: 'Silence', zh: '静默' },
  acknowledge: { en: 'Acknowledge', zh: '确认' },
  acknowledged_count: { en: '{count} acknowledged', zh: '{count} 条已确认' },
  acknowledged_by: { en: 'Acknowledged by {author}, {until}: {comment}', zh: '{author} 已确认，{until}：{comment}' },
  computed: { en: 'The expression of the rule comes to {value}', zh: '规则表达式的结果为 {value}' },
  condition: { en: 'Condition: {holds}', zh: '条件：{holds}' },
  low_end: { en: 'lower end', zh: '置信下限' },
  high_end: { en: 'upper end', zh: '置信上限' },
  surely: { en: ', confidence {share}', zh: '，置信度 {share}' },
  lasts: { en: ', for {length}', zh: '，持续 {length}' },
  recovers: { en: '; over when {holds}', zh: '；恢复条件 {holds}' },
  runbook: { en: 'Runbook', zh: '处理手册' },
  silenced: { en: 'Silenced', zh: '已静默' },
  silenced_by: { en: 'Silenced by {author}, {until}: {comment}', zh: '{author} 已静默，{until}：{comment}' },
  alert_over: { en: 'The alert of this link is over.', zh: '该链接的告警已结束。' },
  inhibited: { en: 'Held back by another alert', zh: '被另一告警抑制' },
  inhibited_by: { en: 'Held back by {rules}', zh: '被 {rules} 抑制' },
  muted: { en: 'Held back at this hour ({names})', zh: '该时段不通知（{names}）' },
  silences: { en: 'Silences', zh: '静默' },
  until: { en: 'until {time}', zh: '至 {time}' },
  until_resolved: { en: 'until resolved', zh: '直至恢复' },
  end: { en: 'End', zh: '结束静默' },
  end_failed: { en: 'Not ended: {error}', zh: '未能结束：{error}' },
  scope_alert: { en: 'This alert{which}', zh: '此告警{which}' },
  scope_group: { en: 'Its group: {which}', zh: '所在分组：{which}' },
  scope_rule: { en: 'All of {which}', zh: '{which} 的全部告警' },
  silenced_alerts: { en: 'What is silenced', zh: '静默范围' },
  silenced_for: { en: 'For how long', zh: '静默时长' },
  author: { en: 'Your name', zh: '姓名' },
  comment: { en: 'Comment', zh: '备注' },
  comment_acknowledge: { en: 'Seen, being looked at', zh: '已知悉，正在处理' },
  comment_silence: { en: 'Known, being looked at', zh: '已知问题，正在处理' },
  cancel: { en: 'Cancel', zh: '取消' },
  who_and_why: { en: 'Give your name and a comment: others see who silenced it, and why.', zh: '请填写姓名和备注，以便他人了解是谁、为何静默。' },
  not_silenced: { en: 'Not silenced: {error}', zh: '未能静默：{error}' },
  past: { en: 'History', zh: '历史' },
  no_past: { en: 'No alert has fired yet', zh: '尚无告警触发过' },
  earlier: { en: 'Earlier', zh: '更早' },
  told: { en: 'told {receivers}', zh: '已通知 {receivers}' },
  not_told: { en: 'did not reach {receivers}', zh: '未能通知 {receivers}' },
  overturned: {
    en: '{rule} fired at {time} on {then}. With the events that came late it was {value}: corrected at {corrected}, it should not have fired.',
    zh: '{rule} 于 {time} 因 {then} 触发。计入迟到数据后应为 {value}：已于 {corrected} 更正，本不应触发。',
  },
  told_corrected: { en: 'then corrected at {time} to {receivers}', zh: '随后于 {time} 向 {receivers} 更正' },
  not_told_corrected: { en: 'the correction did not reach {receivers}', zh: '更正未能送达 {receivers}' },
  corrected: { en: 'should not have fired', zh: '已更正：本不应触发' },
  told_nobody: { en: 'nobody was told', zh: '未通知任何人' },
  receivers: { en: 'Receivers', zh: '接收方' },
  no_receivers: {
    en: 'None: name an Alertmanager file under alertmanager in the configuration.',
    zh: '无：请在配置的 alertmanager 中指定 Alertmanager 文件。',
  },
  no_integration: { en: 'no webhook or robot', zh: '没有 webhook 或机器人' },
  default_receiver: { en: 'default', zh: '默认' },
  falls_back: { en: 'falls back to {receiver} after {after}', zh: '{after}未送达则转告 {receiver}' },
  fallback_of: { en: 'fallback of {receivers}', zh: '{receivers} 的后备接收方' },
  not_routed: { en: 'no route leads here', zh: '没有路由指向它' },
  never_delivered: { en: 'nothing delivered yet', zh: '尚未送达过' },
  delivered_at: { en: 'delivered {time}', zh: '{time} 送达' },
  failed_at: { en: 'failed {time}: {error}', zh: '{time} 失败：{error}' },
  test: { en: 'Test', zh: '测试' },
  testing: { en: 'Testing …', zh: '测试中…' },
  test_delivered: { en: 'Test delivered', zh: '测试已送达' },
  test_failed: { en: 'Test failed: {error}', zh: '测试失败：{error}' },
  usual: { en: 'usual {low} – {high}', zh: '通常为 {low} – {high}' },
  untold_brief: { en: 'nobody is told', zh: '未通知任何人' },
  no_rules: { en: 'No rules loaded', zh: '未加载规则' },
  no_rules_help: { en: 'No rules are loaded: nothing can fire.', zh: '未加载任何规则，不会触发告警。' },
  no_data_help: {
    en: 'Nothing to judge before the first event. Rules in force: {count}.',
    zh: '尚无事件，无从判定。当前规则 {count} 条。',
  },
  quiet: { en: 'Nothing is firing. Rules in force: {count}.', zh: '没有触发的告警，当前规则 {count} 条。' },
  firing: { en: 'Firing', zh: '触发' },
  pending: { en: 'Pending', zh: '待定' },
  inactive: { en: 'Inactive', zh: '未触发' },
  stale: {
    en: 'Stale: no value, or too few samples, after {time}.',
    zh: '已过时：{time} 之后没有数值，或样本不足。',
  },
  since: { en: 'since {time}', zh: '始于 {time}' },
  rules: { en: 'Rules', zh: '规则' },
  rule_error: { en: 'Rule failed: {error}', zh: '规则出错：{error}' },
  deliveries: { en: 'Last deliveries', zh: '最近通知' },
  no_deliveries: { en: 'None since the service started', zh: '服务启动以来暂无' },
  unsent: { en: 'notifications failing', zh: '通知未送达' },
  unsent_to: { en: 'Notifications do not reach {receiver}: {error}', zh: '通知未能送达 {receiver}：{error}' },
  owed: { en: '{count} waiting', zh: '{count} 条待发' },
  queued: { en: 'queued', zh: '排队中' },
  resolved: { en: 'Resolved', zh: '恢复' },
  delivered: { en: 'delivered', zh: '已送达' },
  retrying: { en: 'retrying', zh: '重试中' },
  failed: { en: 'failed', zh: '失败' },
  undelivered: { en: 'not delivered', zh: '未送达' },
  resend: { en: 'Send again', zh: '重发' },
  resent: { en: 'Being sent', zh: '正在发送' },
  drop: { en: 'Drop', zh: '丢弃' },
  not_done: { en: 'Not done: {error}', zh: '未能完成：{error}' },
  attempts: { en: '{count} attempts', zh: '共 {count} 次' },

  why_fires: { en: '1 of its series fires|{count} of its series fire', zh: '{count} 个序列触发' },
  why_holds_briefly: { en: 'the condition holds of {count} series, for less than {length}', zh: '{count} 个序列满足条件，尚不足 {length}' },
  why_holds_not: { en: 'the condition does not hold', zh: '条件不成立' },
  why_partly_judged: {
    en: 'the condition does not hold; {count} of {of} series cannot be judged',
    zh: '条件不成立；{of} 个序列中有 {count} 个无法判定',
  },
  why_no_result: { en: 'the expression has no result', zh: '表达式没有结果' },
  why_zero: { en: 'nothing is counted: 0', zh: '计数为 0' },
  why_unseen: {
    en: 'none of its series has been there yet: what has not been is not judged',
    zh: '其序列尚未出现过：从未出现的序列不作判断',
  },
  why_not_evaluated: { en: 'it is not evaluated yet', zh: '尚未求值' },
  why_unevaluable: { en: 'it cannot be evaluated: {error}', zh: '无法求值：{error}' },
  why_nothing: { en: 'nothing is in the windows of its series', zh: '其序列的窗口内没有数据' },
  why_too_few: { en: 'no series has a value that rests on {least} or more', zh: '没有样本量达到 {least} 的序列' },
  why_no_value: { en: 'no series has a value', zh: '没有序列有数值' },
  why_mixed: {
    en: 'its series are in several currencies, which are not added up: judge a breakdown by currency where one is kept, or define a KPI whose filter names one currency',
    zh: '其序列含多种货币，不能相加：如有货币维度，请按该维度判定，否则请定义在 filter 中限定一种货币的指标',
  },
  why_backlog: {
    en: 'judged up to {time}, {length} behind the clock: 1 message waits in the stream|judged up to {time}, {length} behind the clock: {count} messages wait in the stream',
    zh: '已判定到 {time}，落后当前时间 {length}：流中还有 {count} 条消息待处理',
  },
  why_paused: { en: 'judged up to {time}, {length} behind the clock', zh: '已判定到 {time}，落后当前时间 {length}' },
  why_memory: {
    en: 'memory_budget of {budget} MiB is spent ({used} MiB are in use): raise it, or shorten lateness and windows',
    zh: 'memory_budget 的 {budget} MiB 已用尽（已占用 {used} MiB）：请调高它，或缩短 lateness 和窗口',
  },
  why_disk: {
    en: 'no room on disk: {free} MiB free at {dir}, {needed} MiB needed: make room',
    zh: '磁盘空间不足：{dir} 剩余 {free} MiB，需要 {needed} MiB，请腾出空间',
  },
  why_halted: {
    en: 'judged up to {time}, {length} behind the clock: time does not go on, by events or without them: see /-/ready and the log',
    zh: '已判定到 {time}，落后当前时间 {length}：无论有无事件，时间都没有推进，请查看 /-/ready 和日志',
  },
  why_events_old: {
    en: 'judged up to {time}, {length} behind the clock: the newest event was that old when it came, and time goes on from it',
    zh: '已判定到 {time}，落后当前时间 {length}：最新的事件到达时已经这么旧，时间从它开始推进',
  },
  why_silent: { en: 'no event has been counted for {length}', zh: '已有 {length}没有计入任何事件' },
  why_superseded: { en: 'superseded by a newer state', zh: '已被更新的状态取代' },
  why_dropped: { en: 'dropped', zh: '已丢弃' },
  why_given_up: { en: 'given up after {days} days', zh: '{days} 天后放弃' },
  why_gone: {
    en: 'receiver {receiver} is no longer configured: configure it again and resend this, or drop it',
    zh: '接收方 {receiver} 已不在配置中：请重新配置后重发，或将其丢弃',
  },
  why_damaged: { en: 'the outbox entry is damaged', zh: '发件箱中的条目已损坏' },
  why_no_url: { en: 'the address is no URL', zh: '地址不是 URL' },
  why_no_address: {
    en: 'the address is a template that gives an error, or no URL: correct it, tidewatch check says where',
    zh: '地址是一个会出错的模板，或结果不是 URL：请改正，tidewatch check 会指出位置',
  },
  why_limited: {
    en: 'it is sent no more messages than it takes: try again in {length}',
    zh: '已达到它的接收上限：请在 {length}后重试',
  },
  why_no_answer: { en: 'no answer within {length}', zh: '{length}内没有响应' },
  why_unanswered: {
    en: '{count} earlier attempts have had no answer: the server takes connections and says nothing',
    zh: '此前 {count} 次尝试均无应答：服务器接受连接，但不作回应',
  },
  why_refused: { en: '{error}: start what listens there, or correct the address', zh: '{error}：请启动该处的服务，或改正地址' },
  why_answered: { en: 'answered {status}', zh: '返回 {status}' },
  why_explained: { en: 'answered {status}: {error}', zh: '返回 {status}：{error}' },
  why_redirected: {
    en: 'answered {status}: redirects are followed only on the same host and with the same method: give the final address',
    zh: '返回 {status}：仅跟随同一主机、同一方法的重定向，请填写最终地址',
  },
  why_no_robot: {
    en: 'answered {status}, but not as a robot of {robot} does: correct the url',
    zh: '返回 {status}，但不是 {robot} 机器人的应答：请改正 url',
  },
  why_said: { en: '{error}', zh: '{error}' },
  why_robot: { en: '{robot} answered {status}', zh: '{robot} 返回 {status}' },
  why_robot_explained: { en: '{robot} answered {status} ({error})', zh: '{robot} 返回 {status}（{error}）' },
  why_wrong_url: { en: 'correct the url', zh: '请改正 url' },
  why_wrong_secret: { en: "correct the secret, or this machine's clock", zh: '请改正密钥，或校准本机时钟' },
  why_wrong_security: {
    en: "correct the secret, or this machine's clock; or give the robot the key word {word}, which all messages have; or allow this machine's address in the robot's settings",
    zh: '请改正密钥，或校准本机时钟；或在机器人的安全设置中将 {word} 设为关键词（每条消息都包含它）；或将本机的 IP 地址加入白名单',
  },
  why_not_allowed: { en: "allow this machine's address in the robot's settings", zh: '请在机器人的安全设置中将本机的 IP 地址加入白名单' },
  why_no_key_word: { en: 'give the robot the key word {word}, which all messages have', zh: '请在机器人的安全设置中将 {word} 设为关键词（每条消息都包含它）' },
  why_no_group: { en: 'the group is no more: name a robot of another one', zh: '该群已不存在：请改用其他群的机器人' },
  why_disabled: { en: 'have the robot enabled', zh: '请启用该机器人' },
  why_removed: { en: 'add the robot to the group again', zh: '请重新将机器人加入该群' },

  ledger: { en: 'Ledger', zh: '账本' },
  ledger_help: { en: 'Every event received has one verdict.', zh: '收到的每个事件都有且只有一个结论。' },
  received: { en: 'Received', zh: '收到' },
  counted: { en: 'Counted', zh: '计入' },
  duplicate: { en: 'Duplicate', zh: '重复' },
  late: { en: 'Late', zh: '迟到' },
  quarantined: { en: 'Quarantined', zh: '隔离' },
  future: { en: 'Future', zh: '未来' },
  filtered: { en: 'Filtered', zh: '过滤' },
  reasons: { en: 'Why quarantined', zh: '隔离原因' },
  reason_not_json: { en: 'not JSON', zh: '不是 JSON' },
  reason_not_an_object: { en: 'not an object', zh: '不是对象' },
  reason_missing_id: { en: 'missing id', zh: '缺少 id' },
  reason_missing_time: { en: 'missing time', zh: '缺少 time' },
  reason_time_in_seconds: { en: 'time in seconds', zh: 'time 以秒为单位' },
  reason_bad_time: { en: 'bad time', zh: 'time 无效' },
  reason_missing_type: { en: 'missing type', zh: '缺少 type' },
  reason_missing_user: { en: 'missing user', zh: '缺少用户' },
  reason_placeholder_id: { en: 'placeholder id', zh: '占位 ID' },
  reason_wrong_type: { en: 'wrong type', zh: '字段类型不符' },
  reason_bad_currency: { en: 'bad currency', zh: '币种无效' },
  reason_no_currency: { en: 'no currency', zh: '缺少币种' },
  reason_bad_number: { en: 'bad number', zh: '数值无效' },
  reason_too_large: { en: 'too large', zh: '过大' },
  reason_bad_encoding: { en: 'bad encoding', zh: '编码错误' },
  reason_binary: { en: 'binary', zh: '二进制内容' },
  reason_not_framed: { en: 'not framed', zh: '无法分割' },
  zone: { en: 'Times in {zone}', zh: '时间为 {zone}' },
} satisfies Record<string, Record<Lang, string>>;

export type Key = keyof typeof strings;

/** text fills in a string of the table. */
export function text(lang: Lang, key: Key, values: Record<string, string> = {}): string {
  const [one, several = one] = strings[key][lang].split('|') as [string, string?];
  return (values['count'] === '1' ? one : several).replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** isKey tells words of the API that have a text from those that do not. */
export function isKey(word: string): word is Key {
  return Object.hasOwn(strings, word);
}

/** fieldName writes a dimension in the words of the page as far as it has some. */
export const fieldName = (field: string, lang: Lang) => (isKey(field) ? text(lang, field) : field);

/** Fields whose values are words of the service. */
const worded = ['state', 'step', 'segment', 'touch'];

/** labelName writes a dimension's value, in the words of the page where it is one of the service. */
export function labelName(value: string, lang: Lang, field = ''): string {
  if (value === '(none)') return text(lang, 'none');
  if (value === '__other__') return text(lang, 'other');
  const word = `${field}_${value}`;
  return worded.includes(field) && isKey(word) ? text(lang, word) : value;
}

/** chooseLang takes the language asked for in the address, else the browser's. */
export function chooseLang(search: string, preferred: readonly string[]): Lang {
  const asked = new URLSearchParams(search).get('lang')?.toLowerCase();
  for (const tag of asked ? [asked, ...preferred] : preferred) {
    const lang = languages.find((known) => tag.toLowerCase().split('-')[0] === known);
    if (lang) return lang;
  }
  return 'en';
}

/** reasonText writes why the service does not answer, as far as the page has words for it. */
export function reasonText(lang: Lang, reason: string): string {
  const [, at, of] = /^rebuilding: message (\d+) of (\d+)$/.exec(reason) ?? [];
  if (at && of) return text(lang, 'rebuilding', { at, of });
  return isKey(reason) ? text(lang, reason) : reason;
}
