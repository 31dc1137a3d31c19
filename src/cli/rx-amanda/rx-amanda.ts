#!/usr/bin/env node
import { main } from './main.js';
import { processEnvironment } from './environment.js';

// No process.exit: what is cancelled still removes its files and ends its children.
process.exitCode = await main(process.argv.slice(2), processEnvironment);
