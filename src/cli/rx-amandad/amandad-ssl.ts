import { defer, ignoreElements, merge, of } from 'rxjs';
import { acceptAllSsl, targetCache, type CertificateOptions } from '../../drivers/ssl/ssl.js';
import { listenSslStdio } from '../../drivers/ssl/ssl-stdio.js';
import type { AmandadArguments } from './amandad-arguments.js';
import { maxConnectionsOf, type ListenerEvents, type TcpListeners } from './listener-parts.js';
import { certificateSettings } from '../config/certificate-settings.js';
import type { Settings } from '../config/settings.js';

/** The listeners of `-auth=ssl`. */
export function sslListeners(
  args: AmandadArguments,
  { onWarning }: Pick<ListenerEvents, 'onWarning'>,
): TcpListeners {
  const certificatesOf = (settings: Settings): CertificateOptions => ({
    ...certificateSettings(settings),
    insistOnSafeKey: args.insistOnSafeKey,
    strict: args.sslStrict,
    onWarning: ({ message }: Error) => {
      onWarning(message);
    },
  });
  const maxConnections = maxConnectionsOf(args);
  return {
    onStdio: (settings) => listenSslStdio(certificatesOf(settings)),
    onSockets: (settings, isOwn) => (options) => (sockets) => {
      const certificates = certificatesOf(settings);
      const cache = targetCache(certificates);
      const connections = sockets.pipe(
        acceptAllSsl({ ...certificates, maxConnections }, options, cache),
      );
      // A program that listens itself ends at once when its certificates cannot be used.
      const checked = defer(() => of(cache.read())).pipe(ignoreElements());
      return isOwn ? merge(checked, connections) : connections;
    },
  };
}
