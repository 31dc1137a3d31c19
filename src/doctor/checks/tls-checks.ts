import { X509Certificate } from 'node:crypto';
import { catchError, combineLatest, defer, from, map, of, switchMap, type Observable } from 'rxjs';
import { isSignedBy, type OwnCertificates } from '../../access/certificate-files.js';
import { checkCertificate, type CertificateRules } from '../../access/certificates.js';
import { isAmandaError } from '../../wire/errors.js';
import { messageOf } from '../../wire/text.js';
import { concern, fault, fine, type CheckOutcome, type CheckUnit } from '../check.js';
import type { TlsObservation } from '../probes/observe-tls.js';
import type { NoopAnswer, TargetFacts } from '../target-facts.js';
import type { OwnCertificate, TlsFactsOfTarget } from '../tls-facts.js';
import { datesOf, strengthOf, weakKeyOf, weaknessOf } from './certificate-judgement.js';

type Session = Extract<TlsObservation, { kind: 'session' }>;

/** A session, the certificate that the target showed, and our certificates. */
interface Shown {
  readonly session: Session;
  readonly certificate: X509Certificate;
  readonly own: OwnCertificates;
}

/** The check of each part of a certificate, before the driver makes all of them at once. */
export function tlsChecks(facts: TargetFacts, tls: TlsFactsOfTarget): readonly CheckUnit[] {
  const ofPeer = (name: string, check: (shown: Shown) => Observable<CheckOutcome>): CheckUnit => ({
    id: `tls.${name}`,
    group: 'tls',
    needs: ['tls.own', 'identity.amanda'],
    run: () => withCertificate(facts, tls, check),
  });
  return [
    { id: 'tls.own', group: 'tls', needs: [], run: () => tls.own.pipe(map(judgeOwn)) },
    ofPeer('chain', (shown) => of(chain(shown, facts.host))),
    ofPeer('dates', ({ certificate, own }) => of(dates(certificate, own, facts.host))),
    ofPeer('strength', (shown) => of(strength(shown, facts.host))),
    ofPeer('name', (shown) => byRules(shown, facts, { ...tls.rules, sslCheckFingerprint: false })),
    ofPeer('fingerprint', (shown) =>
      byRules(shown, facts, { ...tls.rules, sslCheckCertificateHost: false }),
    ),
    {
      id: 'tls.accepted',
      group: 'tls',
      needs: ['tls.chain', 'tls.dates', 'tls.strength', 'tls.name', 'tls.fingerprint'],
      run: () =>
        combineLatest([facts.noop, tls.own]).pipe(
          map(([answer, own]) => accepted(answer, own, facts.host)),
        ),
    },
  ];
}

function withCertificate(
  { host }: TargetFacts,
  { own, session }: TlsFactsOfTarget,
  check: (shown: Shown) => Observable<CheckOutcome>,
): Observable<CheckOutcome> {
  return combineLatest([session, own]).pipe(
    switchMap(([observed, mine]) => {
      if (observed.kind === 'none' || mine.kind === 'unusable') return of(fine('Nothing to see.'));
      const { certificate } = observed;
      return certificate === undefined
        ? of(
            fault('certificate-untrusted', {
              message: `${host} shows no certificate.`,
              fix: `Give the amandad on ${host} a certificate that the CA has signed.`,
            }),
          )
        : check({ session: observed, certificate, own: mine.own });
    }),
  );
}

function judgeOwn(own: OwnCertificate): CheckOutcome {
  if (own.kind === 'unusable')
    return fault('own-certificate', {
      message: messageOf(own.error),
      fix: 'Put CA/crt.pem, me/crt.pem and me/private/key.pem into the folder of certificates (--ssl-dir, ssl-dir), readable for this user.',
    });
  const { warnings } = own;
  const refusable = warnings.find((warning) => isAmandaError(warning, 'CERTIFICATE_UNUSABLE'));
  if (refusable !== undefined)
    return fault('own-certificate', {
      message: refusable.message,
      fix: `Have the CA sign a new certificate for this host, and put it into ${own.own.certFile}.`,
    });
  const weakness = weaknessOf(new X509Certificate(own.own.cert), 'this host');
  if (weakness !== undefined) return weakness;
  const unsafe = warnings[0];
  if (unsafe !== undefined)
    return concern('key-unsafe', {
      message: unsafe.message,
      fix: unsafe.message.replace(/^.*\. (chmod)/, '$1'),
    });
  return fine(`This host's certificate is ${own.own.certFile}.`);
}

function chain({ certificate, own }: Shown, host: string): CheckOutcome {
  if (isSignedBy(certificate, own.authorities)) return fine('The CA signed the certificate.');
  const evidence = [
    `The certificate is for ${oneLine(certificate.subject)}`,
    `Its signer is ${oneLine(certificate.issuer)}`,
    ...own.authorities.map(({ subject }) => `The CA of ${own.caFile} is ${oneLine(subject)}`),
  ];
  return fault('certificate-untrusted', {
    message: `The certificate of ${host} is not signed by the CA of ${own.caFile} itself.`,
    evidence,
    fix: `Have that CA sign the certificate of ${host}, or give both sides the same CA/crt.pem.`,
  });
}

function oneLine(names: string | undefined): string {
  return (names ?? 'no name').replaceAll('\n', ', ');
}

function dates(certificate: X509Certificate, own: OwnCertificates, host: string): CheckOutcome {
  const judged = [
    datesOf(certificate, `the certificate of ${host}`, `Renew the certificate of ${host}`),
    ...own.authorities.map((authority) =>
      datesOf(authority, `the CA of ${own.caFile}`, 'Renew the CA, and all it has signed'),
    ),
  ];
  return (
    judged.find(({ status }) => status === 'failed') ??
    judged.find(({ status }) => status === 'warning') ??
    judged[0] ??
    fine('There is no certificate.')
  );
}

function strength({ certificate, session, own }: Shown, host: string): CheckOutcome {
  const [weak] = own.authorities.flatMap((one) => weakKeyOf(one, `the CA of ${own.caFile}`) ?? []);
  return weak ?? strengthOf(certificate, session, host);
}

/** The codes of the checks that each leave to the other. */
const kinds = {
  CERTIFICATE_HOST: 'certificate-name',
  CERTIFICATE_FINGERPRINT: 'certificate-fingerprint',
  FILE_FAILED: 'certificate-fingerprint',
} as const;

function byRules(
  { session, certificate, own }: Shown,
  { host, options }: TargetFacts,
  rules: CertificateRules,
): Observable<CheckOutcome> {
  const isName = rules.sslCheckFingerprint === false;
  // Strict rules ignore the switches, so the strict part of each check stays with the driver.
  const loose = { names: options.names, ...rules, strict: false } as CertificateRules;
  const presented = { certificate, host, address: session.address, port: session.port };
  return defer(() => from(checkCertificate(presented, own, loose))).pipe(
    map((name) =>
      fine(
        isName
          ? `The certificate is for ${name}.`
          : `No other fingerprint is on file than ${certificate.fingerprint} (SHA-1).`,
      ),
    ),
    catchError((error: unknown) => {
      const kind =
        isAmandaError(error) && error.code in kinds
          ? kinds[error.code as keyof typeof kinds]
          : undefined;
      if (kind === undefined) return of(fine('Judged by another check.'));
      return of(
        fault(kind, {
          message: messageOf(error),
          fix:
            kind === 'certificate-name'
              ? `Give ${host} a certificate with its name as common name, and that name its address in DNS or /etc/hosts.`
              : 'Compare the fingerprint with the one that openssl shows on the target, then put it into the file.',
        }),
      );
    }),
  );
}

/** A real target that refuses a certificate is silent, or ends the connection. */
function accepted(answer: NoopAnswer, own: OwnCertificate, host: string): CheckOutcome {
  const ok = fine(`${host} accepts our certificate.`);
  if (answer.kind === 'answered' || !isAmandaError(answer.error)) return ok;
  const { code, message } = answer.error;
  const ours = own.kind === 'read' ? own.own.certFile : 'our certificate';
  const subject = own.kind === 'read' ? oneLine(subjectOf(own.own.cert)) : '';
  if (
    ['CERTIFICATE_REFUSED', 'CONNECTION_LOST', 'ACK_TIMEOUT', 'TLS_FAILED'].includes(code) ||
    code.startsWith('CERTIFICATE_')
  )
    return fault('certificate-refused', {
      message: `${host} does not accept our certificate, or says nothing after the TLS handshake.`,
      evidence: [message, `Our certificate ${ours} is for ${subject}`],
      fix: `On ${host}, see the log of amandad. There the common name of our certificate has to lead to this host's address, its CA/crt.pem has to be ours, and remote/NAME/fingerprint has to fit.`,
    });
  return ok;
}

function subjectOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).subject;
  } catch {
    return undefined;
  }
}
