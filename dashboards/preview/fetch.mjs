// Asks a Prometheus for what the panels of a dashboard ask, as Grafana would, and prints it as JSON.
//
// Usage: node fetch.mjs DASHBOARD.json PROMETHEUS_URL JOB MINUTES
import { readFileSync } from 'node:fs';

const [file, url, job, minutes] = process.argv.slice(2);
const dashboard = JSON.parse(readFileSync(file, 'utf8'));
const rangeSeconds = Number(minutes) * 60;
const end = Math.floor(Date.now() / 1000);
const step = Math.max(1, Math.floor(rangeSeconds / 200));
const values = { job: `(${job})`, instance: '(.+)', __range: `${rangeSeconds}s`, __rate_interval: `${Math.max(step + 1, 4)}s` };
const resolve = (text) => text.replace(/\$\{?(\w+)\}?/g, (whole, name) => values[name] ?? whole);

async function ask(target) {
  const query = resolve(target.expr);
  const asked = target.instant ? { query, time: end } : { query, start: end - rangeSeconds, end, step };
  const path = target.instant ? 'query' : 'query_range';
  const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(asked)}`);
  const body = await answer.json();
  if (body.status !== 'success') throw new Error(`${query}: ${body.error}`);
  return body.data.result.map((series) => ({ labels: series.metric, points: series.values ?? [series.value] }));
}

for (const panel of dashboard.panels) {
  for (const target of panel.targets ?? []) target.result = await ask(target);
}
process.stdout.write(JSON.stringify({ dashboard, from: (end - rangeSeconds) * 1000, to: end * 1000 }));
