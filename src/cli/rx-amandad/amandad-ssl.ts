import { acceptAllSsl, listenSsl } from '../../drivers/ssl/ssl.js';
import { listenSslStdio } from '../../drivers/ssl/ssl-stdio.js';
import type { AmandadArguments } from './amandad-arguments.js';
import { mostConnections, type ListenerEvents, type TcpWays } from './amandad-listening.js';
import { certificateSettings } from '../config/certificate-settings.js';
import type { Settings } from '../config/settings.js';

/** The ways into an amandad with `-auth=ssl`. */
export function sslWays(
  given: AmandadArguments,
  settings: Settings,
  { onWarning }: ListenerEvents,
): TcpWays {
  const certificates = {
    ...certificateSettings(settings),
    insistOnSafeKey: given.insistOnSafeKey,
    onWarning: ({ message }: Error) => {
      onWarning(message);
    },
  };
  return {
    onPort: (options) => listenSsl({ ...options, ...certificates }),
    onStdio: () => listenSslStdio(certificates),
    onSockets: (options) =>
      acceptAllSsl({ ...certificates, maxConnections: mostConnections(given) }, options),
  };
}
