/**
 * Who holds the app role Broker.Publisher in Entra, as `app-registration.sh publishers` prints it. The role is for the
 * identity of a pipeline, so that nobody changes the policy without a review. Entra refuses people as long as the
 * registration says so, which an owner of the registration can change.
 */

/**
 * @param holders one a line: kind, object id and name, with tabs between
 * @returns a warning for each person, and each group of people
 */
export function peopleWhoPublish(holders: string): string[] {
  return holders.split(/\r?\n/).flatMap((line) => {
    const [kind = '', id = '', ...name] = line.trim().split('\t');
    if (kind === '' || kind === 'ServicePrincipal') return [];
    const who = kind === 'Group' ? 'the members of the group' : kind === 'User' ? 'the person' : kind;
    return [
      `${who} ${name.join(' ')} (${id}) may put a policy in force unseen: take Broker.Publisher away, and give it to the identity of a pipeline`,
    ];
  });
}
