/**
 * Draws groups of measured cases as curves, one panel a group.
 * The number of things runs to the right and doubles with each step. The first column runs upward.
 */
const PANEL = { width: 360, height: 200, left: 52, right: 14, top: 34, bottom: 40 };

export function plotText(groups) {
  const rows = Math.ceil(groups.length / 2);
  const panels = groups.map((group, index) =>
    panel(group, (index % 2) * PANEL.width, Math.floor(index / 2) * PANEL.height),
  );
  const [width, height] = [2 * PANEL.width, rows * PANEL.height];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>How the cost grows</title>
<desc>${groups
    .map(
      (group) =>
        `${group.title}: ${group.rows.map((row, at) => `${group.xs[at]}: ${format(row[group.columns[0].key])}`).join(', ')}`,
    )
    .map(escape)
    .join('. ')}</desc>
<style>
text { font: 11px system-ui, sans-serif; fill: #222 } .title { font-weight: 600 } .axis { stroke: #888; fill: none } .curve { stroke: #06c; stroke-width: 2; fill: none } circle { fill: #06c }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .axis { stroke: #777 } .curve { stroke: #6bf } circle { fill: #6bf } }
</style>
${panels.join('\n')}
</svg>
`;
}

function panel({ title, axis, xs, columns, rows }, left, top) {
  const [{ key, label }] = columns;
  const values = rows.map((row) => row[key]);
  const most = niceAbove(Math.max(...values));
  const inner = {
    width: PANEL.width - PANEL.left - PANEL.right,
    height: PANEL.height - PANEL.top - PANEL.bottom,
  };
  const [first, last] = [Math.log2(xs[0]), Math.log2(xs.at(-1))];
  const x = (value) =>
    round(left + PANEL.left + ((Math.log2(value) - first) / (last - first)) * inner.width);
  const y = (value) => round(top + PANEL.top + inner.height - (value / most) * inner.height);
  const points = xs.map((value, at) => [x(value), y(values[at])]);
  const ticks = [0, 0.5, 1].map((part) => part * most);
  return [
    `<text class="title" x="${left + PANEL.left}" y="${top + 15}">${escape(title)}</text>`,
    `<text x="${left + PANEL.left}" y="${top + 28}">${escape(label)}</text>`,
    ...ticks.map(
      (tick) =>
        `<path class="axis" d="M${x(xs[0])} ${y(tick)}H${x(xs.at(-1))}" opacity="${tick === 0 ? 1 : 0.3}"/><text x="${left + PANEL.left - 6}" y="${y(tick) + 4}" text-anchor="end">${format(tick)}</text>`,
    ),
    ...xs.map(
      (value) =>
        `<text x="${x(value)}" y="${y(0) + 15}" text-anchor="middle">${short(value)}</text>`,
    ),
    `<text x="${round(left + PANEL.left + inner.width / 2)}" y="${y(0) + 30}" text-anchor="middle">${escape(axis)}</text>`,
    `<path class="curve" d="M${points.map((point) => point.join(' ')).join('L')}"/>`,
    ...points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3"/>`),
  ].join('\n');
}

/** The next of 1, 2, 5, 10, 20 … above a value. */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function format(value) {
  return String(Number(value.toPrecision(2)));
}

function short(value) {
  return value >= 1_024 && value % 1_024 === 0 ? `${value / 1_024}K` : String(value);
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
