import { familiarName, parseReference } from '@fairlead/protocol';
import { type Command, exactly } from '../../command.ts';

/** `fairlead tag` */
export const tagCommand: Command = {
  name: 'tag',
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  args: exactly(2),
  define() {
    return async (context, [source = '', target = '']) => {
      const reference = parseReference(target);
      const client = await context.client();
      await client.images.tag(source, { repo: familiarName(reference), tag: reference.tag ?? 'latest' });
      return 0;
    };
  },
};
