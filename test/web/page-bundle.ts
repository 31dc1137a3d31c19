import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const bundler = pathToFileURL(join(import.meta.dirname, '../../scripts/bundle.mjs')).href;
const { pageScript } = (await import(bundler)) as { pageScript: () => Promise<string> };

/** The script of the page as the build makes it of this checkout, so that a test needs no build. */
export const script = await pageScript();
