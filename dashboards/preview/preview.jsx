// Draws a dashboard with Grafana's own panel components, from what fetch.mjs has asked. Not Grafana: field
// options are put on by hand, tables are plain ones, and of the transformations only the two of our tables are there.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { createTheme, FieldType, getDisplayProcessor, reduceField, ReducerID, toDataFrame } from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, ThemeContext, TimeSeries } from '@grafana/ui';

const { dashboard, from, to } = window.asked;
const theme = createTheme({ colors: { mode: 'dark' } });
const cell = { width: 62, height: 36 };

const named = (legend, labels) =>
  legend.replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '') || JSON.stringify(labels);

/** The field's options: the panel's, and over them those of its name. */
function configured(field, { defaults, overrides }) {
  field.config = { ...defaults, custom: { ...defaults.custom }, displayName: field.name };
  for (const { matcher, properties } of overrides) {
    if (matcher.options !== field.name) continue;
    for (const { id, value } of properties) field.config[id] = value;
  }
  field.display = getDisplayProcessor({ field, theme, timeZone: 'utc' });
  return field;
}

/** One frame a series. */
const frames = (panel) =>
  panel.targets.flatMap((target) =>
    target.result.map(({ labels, points }) => {
      const name = named(target.legendFormat, labels);
      const frame = toDataFrame({
        refId: target.refId,
        fields: [
          { name: 'Time', type: FieldType.time, values: points.map(([at]) => at * 1000), config: { interval: 5000 } },
          { name, type: FieldType.number, values: points.map(([, value]) => (value === 'NaN' ? null : Number(value))) },
        ],
      });
      configured(frame.fields[1], panel.fieldConfig);
      frame.fields[0].display = getDisplayProcessor({ field: frame.fields[0], theme, timeZone: 'utc' });
      return frame;
    })
  );

const nothing = (panel) => (
  <div style={{ fontSize: 28, textAlign: 'center', paddingTop: 20 }}>{panel.fieldConfig.defaults.noValue ?? 'No data'}</div>
);

/** The last value of each series, with its colour. */
const lasts = (panel) =>
  frames(panel).map((frame) => {
    const field = frame.fields[1];
    const last = reduceField({ field, reducers: [ReducerID.lastNotNull] })[ReducerID.lastNotNull];
    return { field, value: { ...field.display(last), title: field.name } };
  });

function stat(panel, width, height) {
  const shown = lasts(panel);
  if (shown.length === 0) return nothing(panel);
  return (
    <div style={{ display: 'flex', height }}>
      {shown.map(({ value }) => (
        <BigValue key={value.title} value={value} width={width / shown.length} height={height} theme={theme}
          colorMode={panel.options.colorMode} graphMode="none" justifyMode="auto" textMode="auto" count={shown.length} />
      ))}
    </div>
  );
}

function bars(panel, width, height) {
  const shown = lasts(panel);
  if (shown.length === 0) return nothing(panel);
  const most = Math.max(...shown.map(({ value }) => value.numeric));
  return shown.map(({ field, value }) => (
    <BarGauge key={value.title} value={value} width={width} height={Math.min(40, height / shown.length)} theme={theme}
      field={{ ...field.config, min: 0, max: field.config.max ?? most }} display={field.display}
      displayMode={panel.options.displayMode} namePlacement={panel.options.namePlacement} orientation="horizontal" itemSpacing={8} showUnfilled />
  ));
}

function lines(panel, width, height) {
  const all = frames(panel);
  if (all.length === 0) return nothing(panel);
  all.forEach((frame, frameIndex) => (frame.fields[1].state = { seriesIndex: frameIndex, displayName: frame.fields[1].name }));
  return (
    <TimeSeries frames={all} structureRev={1} timeRange={{ from: { valueOf: () => from }, to: { valueOf: () => to }, raw: {} }}
      timeZone="utc" width={width} height={height} legend={{ ...panel.options.legend, calcs: [] }} options={{ legend: panel.options.legend }} />
  );
}

/** Rows of labels and a value; of two labels, the second makes the columns. */
function table(panel, width) {
  const rows = panel.targets[0].result.map(({ labels, points }) => ({ ...labels, Value: Number(points[0][1]) }));
  if (rows.length === 0) return nothing(panel);
  const [change] = panel.transformations;
  let columns;
  if (change.id === 'groupingToMatrix') {
    const { rowField, columnField, valueField } = change.options;
    const of = (name) => [...new Set(rows.map((row) => row[name]))];
    const value = (row, column) => rows.find((r) => r[rowField] === row && r[columnField] === column)?.[valueField] ?? 0;
    columns = { [`${rowField}\\${columnField}`]: of(rowField) };
    for (const column of of(columnField)) columns[column] = of(rowField).map((row) => value(row, column));
  } else {
    columns = {};
    for (const name of Object.keys(rows[0])) columns[change.options.renameByName[name] ?? name] = rows.map((row) => row[name]);
  }
  const format = getDisplayProcessor({ field: { type: FieldType.number, config: panel.fieldConfig.defaults }, theme, timeZone: 'utc' });
  const text = (value) => (typeof value === 'number' ? format(value).text : value);
  const names = Object.keys(columns);
  return (
    <table style={{ width, textAlign: 'left' }}>
      <thead><tr>{names.map((name) => <th key={name}>{name}</th>)}</tr></thead>
      <tbody>{columns[names[0]].map((_, row) => <tr key={row}>{names.map((name) => <td key={name}>{text(columns[name][row])}</td>)}</tr>)}</tbody>
    </table>
  );
}

const kinds = { stat, bargauge: bars, timeseries: lines, table };

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const at = { position: 'absolute', left: x * cell.width, top: y * cell.height, width: w * cell.width - 8, height: h * cell.height - 8 };
  if (panel.type === 'row') return <h4 style={{ ...at, color: theme.colors.text.primary }}>{panel.title}</h4>;
  return (
    <div style={at}>
      <PanelChrome title={panel.title} description={panel.description} width={at.width} height={at.height}>
        {(width, height) => kinds[panel.type](panel, width, height)}
      </PanelChrome>
    </div>
  );
}

const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
document.body.style.cssText = `margin:8px;background:${theme.colors.background.canvas};color:${theme.colors.text.primary};font:14px Inter,DejaVu Sans,sans-serif;position:relative;height:${bottom * cell.height}px`;
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles isExtensionSidebarOpen={false} />
    <h2>{dashboard.title}</h2>
    <div style={{ position: 'relative' }}>{dashboard.panels.map((panel) => <Panel key={panel.id} panel={panel} />)}</div>
  </ThemeContext.Provider>
);
