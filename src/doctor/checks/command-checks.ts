import { map } from 'rxjs';
import { messageOf } from '../../wire/text.js';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import type { NoopAnswer, TargetFacts } from '../target-facts.js';
import { judgeLogin, judgeSession } from './login-judgement.js';
import { failureOf, isMute } from './noop-failure.js';

/** The checks of the auths that start amandad by a command: local, ssh and rsh. */
export function commandChecks(facts: TargetFacts): readonly CheckUnit[] {
  const session = { id: 'ssh.session', group: 'ssh' } as const;
  switch (facts.auth) {
    case 'local':
      return [
        {
          id: 'reachability.program',
          group: 'reachability',
          needs: [],
          run: () => facts.noop.pipe(map((answer) => program(answer))),
        },
        {
          id: 'privileges.user',
          group: 'privileges',
          needs: ['reachability.program'],
          run: () => facts.noop.pipe(map((answer) => rightUser(answer))),
        },
        {
          id: 'identity.amanda',
          group: 'identity',
          needs: ['privileges.user'],
          run: () => facts.noop.pipe(map((answer) => speaksAmanda(answer, facts.host))),
        },
      ];
    case 'ssh':
    case 'rsh':
      return [
        {
          id: 'ssh.login',
          group: 'ssh',
          needs: ['identity.amanda'],
          run: () => facts.noop.pipe(map((answer) => judgeLogin(answer, facts))),
        },
        {
          ...session,
          needs: ['ssh.login'],
          run: () => facts.noop.pipe(map((answer) => judgeSession(answer, facts))),
        },
      ];
    default:
      return [];
  }
}

function program(answer: NoopAnswer): CheckOutcome {
  const said = failureOf(answer);
  if (said !== undefined && /^Cannot start/.test(said))
    return fault('program-missing', {
      message: said,
      fix: 'Install the Amanda client on this host, or name its amandad (--amandad-path, amandad-path).',
    });
  if (said !== undefined && /is not this host/.test(said))
    return fault('not-this-host', {
      message: said,
      fix: 'Take another auth for that host, such as ssh or bsdtcp.',
    });
  return fine('The program starts.');
}

/** What amandad says to another user than its own. */
function rightUser(answer: NoopAnswer): CheckOutcome {
  const said = failureOf(answer) ?? '';
  const user = /must be run as user '([^']*)'/.exec(said)?.[1];
  return user === undefined
    ? fine('This user may start it.')
    : fault('wrong-user', {
        message: `amandad must be started by the user ${user}.`,
        evidence: [said],
        fix: `Run this as ${user}, for example with: su ${user} -s /bin/sh -c "rx-amanda …"`,
      });
}

function speaksAmanda(answer: NoopAnswer, host: string): CheckOutcome {
  if (answer.kind === 'answered' || !isMute(answer)) return fine('An Amanda answers.');
  return fault('not-amanda', {
    message: `What is started on ${host} does not answer as an amandad does.`,
    evidence: [messageOf(answer.error)],
    fix: 'Name the path of amandad (--amandad-path, amandad-path), and start it by hand to see what it says.',
  });
}
