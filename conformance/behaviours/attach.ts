import { engine, says, scene, session, type Behaviours } from './shown.ts';

const attach = (title: string) => session('attach', title);
const upgrade = (title: string) => engine('api/upgrade', title);
const socket = (title: string) => session('attach-web-socket', title);

/** Section 6. */
export const attachments: Behaviours = {
  '6': [
    says('`POST /containers', attach('asks for nothing unless it is told to, and is an event all the same')),
    says('The head is', upgrade('attach, upgraded'), upgrade('attach, terminal'), upgrade('attach, not upgraded')),
    says('It is sent', attach('keeps input and its end for the run to come')),
    says(
      'Bytes as',
      upgrade('of a terminal is sent as it is'),
      attach('plays the log back, by stream, and ends without stream'),
    ),
    says(
      '`logs` plays',
      attach('plays the log back, by stream, and ends without stream'),
      attach('plays the log back, and goes on with stream'),
    ),
    says('With neither', attach('asks for nothing unless it is told to, and is an event all the same')),
    says(
      'Event `attach`',
      attach('asks for nothing unless it is told to, and is an event all the same'),
      scene('a whole life, as events tell it'),
    ),
    says(
      'Before the start',
      attach('start -a shows everything from the first byte'),
      attach('keeps input and its end for the run to come'),
    ),
    says('To an exited', attach('to what has ended shows the next run')),
    says('All who are', attach('shows everybody everything'), attach('shows the streams that were asked for')),
    says('Input needs', attach('has no input to give without OpenStdin, and a half-close means nothing then')),
    says(
      'A half-close',
      attach('keeps input and its end for the run to come'),
      attach('lets go at the end of one client’s input, and the program goes on reading from others'),
      session('run', 'ends the input of -i, and waits for what comes after'),
    ),
    says('With a terminal', attach('ends at a half-close to a terminal, and the container goes on')),
    says('Without `stdin`', attach('shows what is printed from now on, and ends with the code of the container')),
    says(
      'A client that leaves',
      attach('a client that is killed leaves the container as it is'),
      attach('ends the input of StdinOnce with a client that is gone'),
    ),
    says(
      'One that does not',
      session('exec-streams', 'a client of ${what} that stops reading stalls the process, and nothing else'),
    ),
    says(
      'Refused before',
      attach('is refused before the head, with its reason'),
      session('state-matrix', 'restarting: a wait waits, attach and resize are refused, a rename is not'),
    ),
    says('Detach keys', session('detach-keys', 'end an attachment, one by one; the container goes on')),
    says(
      'The end comes',
      engine('core/container/actor', 'saves what it owes, signals, notes that it did, cleans up, then tells who waits'),
      session('run', 'keeps the two streams apart and ends with the code'),
    ),
    says(
      'Resize,',
      scene('resize when running'),
      scene('a whole life, as events tell it'),
      session('run', '-it gives a terminal of the right size, follows a resize, and ends with the code'),
    ),
    says(
      '`GET …/attach/ws`',
      socket('begins with the handshake and nothing else'),
      socket('writes to the container and reads what it says, on both streams, without frames of Docker'),
      socket('refuses in HTTP what it can'),
    ),
  ],
};
