// What `npm test` says at its end: skips and failures by name, the time of every step, the counts.

/** `done` has the steps in the order in which they ended. */
export function report({ done, withoutAmanda, seconds }) {
  const failed = done.flatMap((one) => one.failed);
  const skipped = done.flatMap((one) => one.skipped);
  const passed = done.reduce((sum, one) => sum + one.passed, 0);

  if (withoutAmanda !== undefined) print(`\nTHE REAL AMANDA WAS NOT THERE: ${withoutAmanda}`);
  if (skipped.length > 0) print(`\nSKIPPED, NOT PROVEN BY THIS RUN (${skipped.length}):`);
  for (const reason of new Set(skipped.map((one) => one.reason))) {
    print(`  because: ${reason}`);
    for (const one of skipped) if (one.reason === reason) print(`    - ${one.name}`);
  }
  if (failed.length > 0) print(`\nFAILED (${failed.length}):`);
  for (const name of failed) print(`  - ${name}`);

  print('');
  for (const one of done) printStep(one);
  print(`  ${'all'.padEnd(13)} ${time(seconds)}\n`);
  print(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  if (failed.length > 0 || passed === 0) process.exitCode = 1;
}

/** How a step went. */
export function word({ failed, skipped }) {
  return failed.length > 0 ? 'FAILED' : skipped.length > 0 ? 'ok, with skips' : 'ok';
}

function printStep({ name, seconds, ...result }) {
  const { passed, failed, skipped } = result;
  const counts = `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;
  print(`  ${name.padEnd(13)} ${time(seconds)}  ${word(result).padEnd(15)} ${counts}`);
}

function time(seconds) {
  return `${seconds.toFixed(1)} s`.padStart(8);
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
