#!/usr/bin/env node
import { processArguments } from '../terminal/process-arguments.js';
import { main } from './main.js';
import { processEnvironment } from './environment.js';

// Not process.exit: cancelled work still has to remove its files and end its children.
process.exitCode = await main(processArguments(), processEnvironment);
