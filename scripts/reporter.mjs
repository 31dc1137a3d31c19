// A vitest reporter for projects.mjs. It writes what passed, what failed, what was skipped and why,
// as JSON into the file that RX_AMANDA_RESULTS names.
import { writeFile } from 'node:fs/promises';

export default class ResultsReporter {
  async onTestRunEnd(modules, unhandledErrors) {
    const results = { passed: 0, failed: [], skipped: [], suites: [] };
    for (const module of modules) {
      const file = module.relativeModuleId;
      const before = results.failed.length;
      for (const test of module.children.allTests()) sort(results, file, test);
      for (const suite of module.children.allSuites()) {
        const tests = [...suite.children].filter((child) => child.type === 'test');
        if (tests.length > 0)
          results.suites.push({
            name: suite.fullName,
            tests: tests.length,
            passed: tests.filter((test) => test.result().state === 'passed').length,
          });
        for (const error of suite.errors())
          results.failed.push(`${file} > ${suite.fullName}: ${firstLine(error)}`);
      }
      // A file that cannot be loaded fails, although none of its tests does.
      const broken = module.errors().length > 0 || module.state() === 'failed';
      if (broken && results.failed.length === before)
        results.failed.push(
          `${file}: ${firstLine(module.errors()[0]) ?? 'failed outside of its tests'}`,
        );
    }
    for (const error of unhandledErrors)
      results.failed.push(`outside of any test: ${firstLine(error)}`);
    await writeFile(process.env.RX_AMANDA_RESULTS, JSON.stringify(results));
  }
}

function sort(results, file, test) {
  const name = `${file} > ${test.fullName}`;
  const { state, note } = test.result();
  if (state === 'passed') results.passed += 1;
  else if (state === 'skipped') results.skipped.push({ name, reason: note ?? reasonOf(test) });
  else results.failed.push(name);
}

/**
 * The nearest reason that a suite around the test gives (test/support/skips.ts), or its failure.
 */
function reasonOf(task) {
  if (task === undefined) return undefined;
  if (task.type !== 'test' && task.errors().length > 0) return 'a hook around it failed';
  return task.meta().skipReason ?? reasonOf(task.parent);
}

function firstLine(error) {
  return error?.message?.split('\n')[0];
}
