// Features in Unleash that move with a rollout.
import { z } from 'zod';
import { text } from './scalars.ts';

/** Name of a feature, as Unleash allows it (URL-friendly). */
export const featureName = () =>
  text({
    pattern: '^[-a-zA-Z0-9._~]+$',
    maxLength: 100,
    message: 'write the name of the feature as Unleash has it: letters, digits, -, ., _ and ~',
  });

export const flag = z
  .object({
    feature: featureName().describe('Name of the feature.'),
    environment: text({
      pattern: '^[-a-zA-Z0-9._~]+$',
      maxLength: 100,
      message: 'write the name of the environment as Unleash has it, such as development or production',
    }).describe('Environment in Unleash.'),
    follow: z
      .enum(['Weight', 'Promotion', 'Steps'])
      .default('Weight')
      .describe(
        'Weight: its rollout is the weight of the new revision; Promotion: it is switched on at the end; Steps: only setFlag steps move it.',
      ),
    stickiness: text({
      pattern: '^[a-zA-Z][-a-zA-Z0-9_]*$',
      maxLength: 63,
      message: 'write the name of a field of the Unleash context, such as conversationId or userId',
    })
      .default('conversationId')
      .describe('Field of the Unleash context that decides who sees the feature.'),
    onRollback: z
      .enum(['Restore', 'Disable', 'Keep'])
      .default('Restore')
      .describe('What happens to it on abort: as it was before, off, or untouched.'),
    killSwitch: z
      .enum(['Abort', 'Pause', 'None'])
      .default('Abort')
      .describe('What a person switching it off in Unleash does to a rollout under way.'),
  })
  .describe(
    'A feature in Unleash that moves with the rollout. Not acted on yet: the condition FieldsIgnored names it.',
  );
