/**
 * Runs the cases of a group in turn, round after round, and gives medians over the rounds.
 * Ratios are taken within a round, so a machine that changes its speed changes both sides.
 *
 * A group is `{ title, columns, cases }`.
 * A column is `{ key, label, digits, compared, short }`. The first is always compared. `short`
 * precedes a target.
 * A case is `{ name, run }`. `run` resolves to a number for each column's key. `against` names the
 * case to compare with; default the first. `targets` bound ratios: `{ rate: ['≥', 0.95] }`.
 * A case that cannot run here is `{ name, missing }` with the reason.
 */
export async function measure({ title, note, columns, cases, rounds: own }, { rounds, progress }) {
  const count = own ?? rounds;
  const runs = cases.map(() => []);
  for (let round = 0; round < count; round += 1) {
    for (const [index, { name, run, missing }] of cases.entries()) {
      if (missing !== undefined) continue;
      progress(`${title}: round ${round + 1} of ${count}, ${name}`);
      runs[index].push(await run());
    }
  }
  progress('');
  const first = runs.find((done) => done.length > 0) ?? [];
  const rows = cases.map(({ name, missing, against, targets = {} }, index) => {
    if (missing !== undefined) return { name, missing };
    const base =
      against === undefined ? first : runs[cases.findIndex((one) => one.name === against)];
    return { name, targets, ...summary(runs[index], base, columns) };
  });
  return { title, note, rounds: count, columns, rows };
}

function summary(runs, base, columns) {
  const all = (key) => runs.map((run) => run[key]);
  const ratio = (key) => median(all(key).map((value, round) => value / base[round][key]));
  const figures = (value, some = columns) =>
    Object.fromEntries(some.map(({ key }) => [key, value(key)]));
  const firsts = all(columns[0].key);
  return {
    spread: [Math.min(...firsts), Math.max(...firsts)],
    ratios: figures(ratio, columns.filter(isCompared)),
    ...figures((key) => median(all(key))),
  };
}

function isCompared({ compared = false }, index) {
  return index === 0 || compared;
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value that a part `p` (0 to 1) of the values does not exceed. */
export function quantile(values, p) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))];
}

/** A measured group as a table of text. */
export function tableText({ title, note, rounds, columns, rows, others = 0 }) {
  const measured = rows.filter(({ missing }) => missing === undefined);
  const hasTargets = measured.some(({ targets }) => Object.keys(targets).length > 0);
  const table = [
    ['', ...columns.flatMap(headOf), ...(hasTargets ? ['  target'] : [])],
    ...measured.map((row) => [
      row.name,
      ...columns.flatMap((column, index) => cellsOf(row, column, index)),
      ...(hasTargets ? [`  ${targetText(row, columns)}`] : []),
    ]),
  ];
  return [
    `${title} (median of ${rounds})`,
    ...aligned(table, hasTargets),
    ...rows
      .filter(({ missing }) => missing !== undefined)
      .map(({ name, missing }) => `${name}: not measured, ${missing}`),
    ...(note === undefined ? [] : [note]),
    ...(others > 0.1 ? [`Others used ${others.toFixed(2)} processors meanwhile.`] : []),
  ].join('\n');
}

function headOf(column, index) {
  const spread = index === 0 ? ['spread'] : [];
  return [column.label, ...spread, ...(isCompared(column, index) ? ['ratio'] : [])];
}

function cellsOf(row, column, index) {
  const { key } = column;
  const spread = index === 0 ? [row.spread.map((value) => number(value, column)).join('–')] : [];
  return [
    number(row[key], column),
    ...spread,
    ...(isCompared(column, index) ? [number(row.ratios[key], {})] : []),
  ];
}

function number(value, { digits = 2 }) {
  return value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

/** The bounds of a row's ratios, and whether they are met. */
function targetText({ targets, ratios }, columns) {
  return columns
    .filter(({ key }) => targets[key] !== undefined)
    .map(({ key, short = '' }) => {
      const [sign, bound] = targets[key];
      const met = sign === '≥' ? ratios[key] >= bound : ratios[key] <= bound;
      return `${short}${sign} ${bound} ${met ? 'met' : 'MISSED'}`;
    })
    .join(', ');
}

/** Pads the cells of each column to the same width; names and targets stand to the left. */
function aligned(table, hasTargets) {
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  const isLeft = (column) => column === 0 || (hasTargets && column === widths.length - 1);
  return table.map((line) =>
    line
      .map((cell, at) => (isLeft(at) ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join('  ')
      .trimEnd(),
  );
}
