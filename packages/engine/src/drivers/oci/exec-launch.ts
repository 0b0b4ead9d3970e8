import type { ExecRequest } from '../../core/ports/container-runtime.ts';
import { closeDescriptor } from '../../host/descriptors.ts';
import { spawnProgram, type Program, type ProgramStdio } from '../../host/process.ts';
import { DescriptorListener, openTerminalPair } from '../../host/terminal.ts';
import type { ExecPaths } from './exec-files.ts';
import type { ExecTransport } from './exec-transport.ts';
import { PipeTransport } from './pipe-transport.ts';
import { globalArguments, RUNTIME_ENVIRONMENT, type RuntimeCommand } from './runtime-command.ts';
import { TerminalTransport } from './terminal-transport.ts';
