import { protocol, says, session, type Behaviours } from './shown.ts';

const asks = (title: string) => session('cli-requests', title);
const EACH = asks("docker ${command.join(' ')}");

/** Section 7. */
export const commands: Behaviours = {
  '7': [
    says('Every command', EACH),
    says('Bodiless', EACH),
    says('run -d |', EACH),
    says('run |', EACH),
    says(
      'run -it |',
      session('run', '-it gives a terminal of the right size, follows a resize, and ends with the code'),
    ),
    says('image missing', EACH),
    says('exec |', EACH),
    says(
      'exec -it |',
      session('exec', '-it gives a terminal of the right size, follows a resize, and ends with the code'),
    ),
    says(
      'attach |',
      asks('docker attach: wait, inspect, attach, inspect'),
      session('attach', 'lets go at ctrl-p ctrl-q; the program goes on, and can be attached to again'),
    ),
    says('logs -f', EACH, session('logs', '-f shows what was and what comes, and ends with the container')),
    says('cp |', EACH),
    says('stats |', asks('docker stats of all: events, the list, and each')),
    says(
      'A create body',
      protocol('models/create-container-body', "takes the docker CLI's odd defaults as not given"),
      session('run', '-d prints the id and leaves the container running'),
    ),
  ],
};
