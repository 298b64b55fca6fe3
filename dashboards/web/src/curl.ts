// The line that a newcomer pastes: a few events of one visit, happening now.

/** newId makes ids that do not repeat between two copies of the line. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** eventsAt lists the events of a visit that ends at the given time. */
export function eventsAt(now: number, id: string): Record<string, string | number>[] {
  const visit = [
    { user_id: 'u1', channel: 'douyin', type: 'impression', content_id: 'v1' },
    { user_id: 'u1', channel: 'douyin', type: 'click', content_id: 'v1' },
    { user_id: 'u1', channel: 'douyin', type: 'play', content_id: 'v1', watch_ms: 15000, duration_ms: 15000 },
    { user_id: 'u2', channel: 'wechat', type: 'impression', content_id: 'v2' },
    { user_id: 'u2', channel: 'wechat', type: 'play', content_id: 'v2', watch_ms: 4000, duration_ms: 20000 },
    { user_id: 'u1', channel: 'douyin', type: 'pay', order_id: `o-${id}`, amount_minor: 12900, currency: 'CNY' },
  ];
  return visit.map((event, index) => ({ id: `${id}-${index + 1}`, time: now - visit.length + 1 + index, ...event }));
}

/** curlLine is one line that works in any POSIX shell. */
export function curlLine(origin: string, now: number, id: string): string {
  return `curl -sS '${origin}/v1/events' -H 'Content-Type: application/json' -d '${JSON.stringify(eventsAt(now, id))}'`;
}
