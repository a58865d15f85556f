// Loaded by --import before a program of Node's: ends it when the script that has started it goes (processes.mjs).
import { endWhen, isThere } from './parent.mjs';

const parent = Number(process.env['GRADSCOPE_PARENT'] ?? '0');
// Not for what this program starts, and its threads load this as well.
delete process.env['GRADSCOPE_PARENT'];
if (parent > 0) endWhen(() => process.ppid !== parent || !isThere(parent));
