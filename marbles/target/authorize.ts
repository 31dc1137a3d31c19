import { map, mergeMap, type Observable } from 'rxjs';
import { authorize, type AccessRequest } from '../../src/access/authorize.js';
import { mark, page, userLane } from '../../src/testing/index.js';

/** Requests of a host, judged by the rule `db1 backup amdump` of user backup. */
function judging(reservedPort: boolean) {
  return {
    about: 'authorize',
    given: { requests: userLane<AccessRequest>() },
    expected: { verdicts: userLane<string>() },
    wire: ({ requests }: { readonly requests: Observable<AccessRequest> }) => {
      const judge = authorize({
        localUser: { name: 'backup', uid: 34, home: '/var/backups' },
        rules: 'db1 backup amdump\n',
        reservedPort,
      });
      return {
        verdicts: requests.pipe(
          mergeMap(judge),
          map(({ kind }) => kind),
        ),
      };
    },
  };
}

function asks(user: string, service: string, host: string, port: number) {
  return mark.value<AccessRequest>(
    { user, service, peer: { host, address: '10.0.0.1', port } },
    `${user} asks for ${service} from port ${port} of ${host}`,
  );
}

const legend = {
  d: asks('backup', 'sendbackup', 'db1', 901),
  r: asks('backup', 'amindexd', 'db1', 901),
  e: asks('eve', 'sendbackup', 'db1', 901),
  o: asks('backup', 'sendbackup', 'db2', 901),
  h: asks('backup', 'sendbackup', 'db1', 40_000),
  y: mark.value('allowed'),
  n: mark.value('refused'),
};

/** Who may ask for what. */
export const pages = [
  page({
    ...judging(true),
    title: 'By the rules of .amandahosts',
    sentence:
      'Host, user and service must match one line; amdump means the services of a dump. Other requests are refused.',
    picture: `
      requests  -d--r--e--o-|
      verdicts  -y--n--n--n-|
    `,
    legend,
  }),

  page({
    ...judging(true),
    title: 'An unreserved source port',
    sentence:
      'Without TLS the name of a user counts only from a port below 1024, which only root can have.',
    picture: `
      requests  -h--d-|
      verdicts  -n--y-|
    `,
    legend,
  }),

  page({
    ...judging(false),
    title: 'A source port that does not matter',
    sentence: 'If certificates identify the peer (ssl), any port will do.',
    picture: `
      requests  -h--d-|
      verdicts  -y--y-|
    `,
    legend,
  }),
];
