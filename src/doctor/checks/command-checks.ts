import { map } from 'rxjs';
import { isAmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import { fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import type { FindingKind } from '../finding-kinds.js';
import type { NoopAnswer, TargetFacts } from '../target-facts.js';

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
          run: () => facts.noop.pipe(map((answer) => login(answer, facts))),
        },
        {
          ...session,
          needs: ['ssh.login'],
          run: () => facts.noop.pipe(map((answer) => shell(answer, facts))),
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

/** Whether no packet came. */
function isMute({ error }: Extract<NoopAnswer, { kind: 'failed' }>): boolean {
  return (
    isAmandaError(error) &&
    [
      'TEXT_IN_CHANNEL',
      'FRAME_TOO_LARGE',
      'CONNECTION_LOST',
      'COMMAND_FAILED',
      'ACK_TIMEOUT',
      'BAD_PACKET',
    ].includes(error.code)
  );
}

function failureOf(answer: NoopAnswer): string | undefined {
  return answer.kind === 'failed' ? messageOf(answer.error) : undefined;
}

type Advice = (facts: TargetFacts) => string;
type Rule = readonly [words: RegExp, kind: FindingKind, message: string, fix: Advice];

const userOf = ({ options }: TargetFacts): string => options.ssh?.clientUsername ?? 'backup';

/** What ssh says when the login fails. */
const loginRules: readonly Rule[] = [
  [
    /IDENTIFICATION HAS CHANGED|host key .* changed/i,
    'ssh-host-key',
    'The host key is another one than before',
    ({ host }) =>
      `If the key of ${host} was really renewed, forget the old one as the user that runs this: ssh-keygen -R ${host}`,
  ],
  [
    /Host key verification failed|host key is known/,
    'ssh-host-key',
    'The host key is not known',
    ({ host }) => `As the user that runs this, log in to ${host} once by hand and accept its key.`,
  ],
  [
    /UNPROTECTED PRIVATE KEY|bad permissions/,
    'ssh-key-file',
    'Others can read the private key, so ssh does not use it',
    ({ options }) => `chmod 600 ${options.ssh?.keyFile ?? 'the key file'}`,
  ],
  [
    /Identity file .* not accessible|error in libcrypto|invalid format/,
    'ssh-key-file',
    'The private key cannot be read',
    ({ options }) =>
      `See whether ${options.ssh?.keyFile ?? 'the key file'} is there, is a private key, and is readable for this user (--ssh-key, ssh-keys).`,
  ],
  [
    /Permission denied/,
    'ssh-key-refused',
    'No key was accepted',
    (facts) =>
      `Add the public key to .ssh/authorized_keys of ${userOf(facts)} on ${facts.host}, with mode 600; the private one belongs to this user's agent or to --ssh-key.`,
  ],
];

function login(answer: NoopAnswer, facts: TargetFacts): CheckOutcome {
  const said = failureOf(answer);
  const found = said === undefined ? undefined : judge(loginRules, said, facts);
  if (found !== undefined) return found;
  if (said !== undefined && /ended with exit code 255/.test(said))
    return fault('ssh-failed', {
      message: `The login to ${facts.host} failed.`,
      evidence: [said],
      fix: `Try the same by hand: ssh -l ${userOf(facts)} ${facts.host} true`,
    });
  return fine(`The login as ${userOf(facts)} works.`);
}

const shellRules: readonly Rule[] = [
  [
    /ended with exit code 12[67]\b/,
    'amandad-missing',
    'The login works, and amandad cannot be started',
    ({ host, options }) =>
      `Install the Amanda client on ${host}, or name its amandad (--amandad-path, amandad-path); it was asked for ${options.ssh?.amandadPath ?? '/usr/lib/amanda/amandad'}.`,
  ],
  [
    /account is currently not available|nologin/i,
    'ssh-shell',
    "Amanda's user has no shell, so it cannot log in",
    (facts) => `On ${facts.host}: usermod -s /bin/bash ${userOf(facts)}`,
  ],
];

function shell(answer: NoopAnswer, facts: TargetFacts): CheckOutcome {
  const said = failureOf(answer);
  const found = said === undefined ? undefined : judge(shellRules, said, facts);
  if (found !== undefined) return found;
  if (answer.kind === 'failed' && isMute(answer)) {
    const isNoise = isAmandaError(answer.error, 'TEXT_IN_CHANNEL');
    return fault(isNoise ? 'ssh-noisy-login' : 'not-amanda', {
      message: isNoise
        ? `A login profile on ${facts.host} prints something into the connection.`
        : `What the login starts on ${facts.host} does not answer as an amandad does.`,
      evidence: [said ?? ''],
      fix: isNoise
        ? `On ${facts.host}, have .bashrc and .profile of ${userOf(facts)} print nothing when there is no terminal.`
        : `See on ${facts.host} whether a login profile waits for input, and whether a forced command in authorized_keys starts another program.`,
    });
  }
  return fine('The shell is quiet and amandad starts.');
}

function judge(rules: readonly Rule[], said: string, facts: TargetFacts): CheckOutcome | undefined {
  const rule = rules.find(([words]) => words.test(said));
  if (rule === undefined) return undefined;
  const [, kind, message, fix] = rule;
  return fault(kind, { message: `${message}.`, evidence: [said], fix: fix(facts) });
}
