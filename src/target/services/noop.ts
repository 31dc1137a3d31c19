import { of } from 'rxjs';
import { reply, type Service } from '../../exchange/service.js';
import type { Features } from '../../wire/features.js';
import { formatOptions } from '../../wire/options.js';
import { ourFeatures } from './our-features.js';

/** The service with which every conversation begins: says what this side can do. Beside the real executables that is `Features.amanda351`. */
export function noop(features: Features = ourFeatures): Service {
  const answer = of(reply({ lines: [formatOptions({ features }).trimEnd()] }));
  return () => answer;
}
