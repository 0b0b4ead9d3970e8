import { containerRuntimeSuite } from '../../core/ports/container-runtime.suite.ts';
import { openOciSubject } from './test/oci-subject.ts';

for (const name of ['crun', 'runc']) containerRuntimeSuite(name, () => openOciSubject(name));
