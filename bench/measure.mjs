/**
 * Runs the cases of a group in turn, round after round, so that a machine that changes its speed changes it for all; gives medians over the
 * rounds, the spread of the first figure, and its ratio to the first case's within each round.
 *
 * A group: `{ title, columns, cases }`. A column: `{ key, label, digits }`; the first one is compared. A case: `{ name, run }`, where `run` resolves to an
 * object with a number for each column's key, or `{ name, missing }` with the reason why it cannot be run here.
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
  const [first] = columns;
  const base = runs.find((done) => done.length > 0) ?? [];
  const rows = cases.map(({ name, missing }, index) =>
    missing === undefined
      ? { name, ...summary(runs[index], base, first.key, columns) }
      : { name, missing },
  );
  return { title, note, rounds: count, columns, rows };
}

function summary(runs, base, key, columns) {
  const first = runs.map((run) => run[key]);
  return {
    spread: [Math.min(...first), Math.max(...first)],
    ratio: median(first.map((value, round) => value / base[round][key])),
    ...Object.fromEntries(
      columns.map((column) => [column.key, median(runs.map((run) => run[column.key]))]),
    ),
  };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The p-th part (0 to 1) of the values is not above what this gives. */
export function quantile(values, p) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))];
}

/** A measured group as a table of text. */
export function tableText({ title, note, rounds, columns, rows }) {
  const [first, ...others] = columns;
  const number = (value, { digits = 2 }) =>
    value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);
  const head = ['', first.label, 'spread', 'ratio', ...others.map(({ label }) => label)];
  const lines = rows
    .filter(({ missing }) => missing === undefined)
    .map((row) => [
      row.name,
      number(row[first.key], first),
      `${number(row.spread[0], first)}–${number(row.spread[1], first)}`,
      row.ratio.toFixed(2),
      ...others.map((column) => number(row[column.key], column)),
    ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...lines].map((line) => line[column].length)),
  );
  const text = [head, ...lines].map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
      )
      .join('  '),
  );
  const missing = rows
    .filter((row) => row.missing !== undefined)
    .map((row) => `${row.name}: not measured, ${row.missing}`);
  return [
    `${title} (median of ${rounds})`,
    ...text,
    ...missing,
    ...(note === undefined ? [] : [note]),
  ].join('\n');
}
