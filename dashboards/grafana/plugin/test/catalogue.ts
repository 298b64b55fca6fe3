// A small catalogue, with one of each kind of KPI that the editors tell apart.
import type { Definition } from '../src/types.ts';

let place = 0;

function define(name: string, en: string, zh: string, more: Partial<Definition>): Definition {
  return {
    name,
    title: { en, zh },
    description: { en: '', zh: '' },
    group: { en: 'Audience', zh: '用户规模' },
    place: place++,
    unit: 'count',
    definition: `${name}@1`,
    top: 0,
    ratio: false,
    by: [[], ['channel'], ['device']],
    windows: ['5m', '1h', 'day'],
    ...more,
  };
}

const percent = { unit: 'percent', ratio: true } as const;
const days = { from: 'days', windows: ['day'], by: [[], ['channel'], ['acquisition_channel']] };
const retention = (day: number, from = days) => ({ ...from, ...percent, horizon: day, final_only: true });

export const catalogue: Definition[] = [
  define('plays', 'Plays', '播放量', {}),
  define('ctr', 'Click-through rate', '点击率', { ...percent, by: [[], ['channel'], ['channel', 'device']] }),
  define('gmv_paid', 'Paid GMV', '支付 GMV', {
    unit: 'money',
    by: [[], ['channel'], ['currency']],
    windows: ['1h', 'day'],
  }),
  define('dau', 'Daily active users', '日活跃用户', { windows: ['day', 'today'] }),
  define('retention_d7', 'Day-7 retention', '7 日留存', retention(7)),
  define('retention_d1', 'Next-day retention', '次日留存', retention(1)),
  define('buyer_retention_d7', 'Buyer retention', '买家留存', retention(7, { ...days, from: 'buyers' })),
  define('stickiness', 'Stickiness', '粘性', { ...days, ...percent, final_only: true }),
  define('funnel', 'Funnel', '漏斗', {
    from: 'funnel',
    windows: ['24h', 'day'],
    by: [['step'], ['step', 'channel']],
    split: ['step'],
    texts: { step: ['impression', 'pay'] },
  }),
  define('lifecycle', 'Lifecycle', '用户生命周期', {
    ...days,
    by: [['state'], ['state', 'channel']],
    split: ['state'],
    texts: { state: ['new', 'returning'] },
  }),
];
