import { map, type Observable } from 'rxjs';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../../src/doctor/check.js';
import { runChecks } from '../../src/doctor/run-checks.js';
import { mark, page, userLane } from '../../src/testing/index.js';

const refused = fault('tcp-refused', { message: 'refused', fix: 'start amandad' });

function unit(id: string, needs: readonly string[], result: Observable<string>): CheckUnit {
  const outcome = (text: string): CheckOutcome => (text === 'ok' ? fine('ok') : refused);
  return { id, group: 'names', needs, run: () => result.pipe(map(outcome)) };
}

/** The checks of `doctor` and `doctorLocal`: each begins when those that it needs are over. */
export const pages = [
  page({
    title: 'Checks that need other checks',
    about: 'doctor, doctorLocal',
    sentence:
      'Independent checks run side by side; a check is skipped when one that it needs has failed.',
    picture: `
      names    --(k|)
      names ^  ^-!
      port     ----(x|)
      port ^   ^---!
      answers  ------(k|)
      answers ^  --^-----!
      checks   --n-(pr)(a|)
    `,
    legend: {
      k: mark.value('ok'),
      x: mark.value('refused'),
      n: mark.value('names: ok'),
      p: mark.value('port: failed'),
      r: mark.value('request: skipped, because port failed'),
      a: mark.value('answers: ok'),
    },
    given: {
      names: userLane<string>(),
      port: userLane<string>(),
      answers: userLane<string>(),
    },
    expected: { checks: userLane<string>() },
    wire: ({ names, port, answers }) => ({
      checks: runChecks([
        unit('names', [], names),
        unit('port', [], port),
        unit('answers', ['names'], answers),
        unit('request', ['port'], answers),
      ]).pipe(
        map(({ id, status, message }) =>
          status === 'skipped' ? `${id}: ${message}` : `${id}: ${status}`,
        ),
      ),
    }),
  }),
];
