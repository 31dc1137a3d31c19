import { catchError, defer, of, shareReplay, switchMap, type Observable } from 'rxjs';
import { readCertificates, type OwnCertificates } from '../access/certificate-files.js';
import type { CertificateOptions } from '../drivers/ssl/ssl.js';
import { observeTls, type TlsObservation } from './probes/observe-tls.js';
import type { TargetFacts } from './target-facts.js';

/** This side's certificates, or why they cannot be used. */
export type OwnCertificate =
  | { readonly kind: 'read'; readonly own: OwnCertificates; readonly warnings: readonly Error[] }
  | { readonly kind: 'unusable'; readonly error: unknown };

/** What the checks of TLS need to know; each fact is found out once. */
export interface TlsFactsOfTarget {
  readonly rules: CertificateOptions;
  readonly own: Observable<OwnCertificate>;
  readonly session: Observable<TlsObservation>;
}

/** The time for a handshake. */
const HANDSHAKE_WITHIN = 2_500;

export function tlsFacts({ options, tcp, port }: TargetFacts): TlsFactsOfTarget {
  const rules = options.certificates ?? {};
  const own = defer(() => of(readOwn(rules))).pipe(shareReplay({ bufferSize: 1, refCount: true }));
  return {
    rules,
    own,
    session: tcp.pipe(
      switchMap((probed) => {
        const open = probed.find(({ probe }) => probe.kind === 'open');
        if (open === undefined)
          return of<TlsObservation>({ kind: 'none', code: '', message: 'no address is open' });
        return own.pipe(
          switchMap((mine) =>
            observeTls(
              open.address,
              port,
              mine.kind === 'read' ? { cert: mine.own.cert, key: mine.own.key } : undefined,
              options.patience ?? HANDSHAKE_WITHIN,
            ),
          ),
        );
      }),
      catchError((error: unknown) =>
        of<TlsObservation>({ kind: 'none', code: '', message: String(error) }),
      ),
      shareReplay({ bufferSize: 1, refCount: true }),
    ),
  };
}

function readOwn(rules: CertificateOptions): OwnCertificate {
  const warnings: Error[] = [];
  try {
    const own = readCertificates({
      ...rules,
      onWarning: (warning) => {
        warnings.push(warning);
      },
    });
    return { kind: 'read', own, warnings };
  } catch (error) {
    return { kind: 'unusable', error };
  }
}
