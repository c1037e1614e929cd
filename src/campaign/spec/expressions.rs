//! Template expressions, `${{ … }}`, of which nothing is filled in.
//!
//! Sourcegraph's are refused by name: whoever brings a spec from there would open pull requests
//! that are called `Update ${{ repository.name }}`. All others belong to somebody else, such as
//! GitHub's workflows or other generators, and pass as they stand.

/// How an expression begins.
pub(super) const OPENING: &str = "${{";
const CLOSING: &str = "}}";

/// Names that only Sourcegraph's language has; below them anything.
const ROOTS: [&str; 5] = ["repository", "previous_step", "step", "outputs", "batch_change"];
/// Names of that language below roots that others use as well.
const NAMES: [&str; 7] = [
    "batch_change_link",
    "steps.added_files",
    "steps.changes",
    "steps.deleted_files",
    "steps.modified_files",
    "steps.path",
    "steps.renamed_files",
];

/// An expression of Sourcegraph's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expression<'a> {
    /// Which one of all expressions of the text it is, from 0.
    pub(super) index: usize,
    /// The name in it.
    pub(super) name: &'a str,
}

/// The expressions of a text that would have been filled in there, in their order.
pub(super) fn foreign(text: &str) -> impl Iterator<Item = Expression<'_>> {
    text.match_indices(OPENING).enumerate().filter_map(|(index, (at, _))| {
        let rest = &text[at + OPENING.len()..];
        // One that is never closed ends with its line.
        let end = rest.find(CLOSING).or_else(|| rest.find('\n')).unwrap_or(rest.len());
        foreign_name(&rest[..end]).map(|name| Expression { index, name })
    })
}

/// The first name in an expression, outside of its quotes, that is one of Sourcegraph's.
fn foreign_name(expression: &str) -> Option<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let (mut quote, mut start) = (None, None);
    for (at, c) in expression.char_indices().chain([(expression.len(), ' ')]) {
        if let Some(open) = quote {
            quote = (c != open).then_some(open);
            continue;
        }
        if is_word(c) {
            start = start.or(Some(at));
            continue;
        }
        if let Some(name) = start.take().map(|from| &expression[from..at])
            && is_foreign(name)
        {
            return Some(name);
        }
        quote = "'\"`".contains(c).then_some(c);
    }
    None
}

/// What to write instead of an expression with this name.
pub(super) fn hint(name: &str) -> String {
    let of_template = "in a text of the template, write the words out";
    format!(
        "Drover does not take Sourcegraph's template expressions yet: {of_template}; a script \
         writes these very characters by `printf '$%s' '{{{{ {name} }}}}'`"
    )
}

fn is_foreign(name: &str) -> bool {
    let is_below_root = name
        .split_once('.')
        .is_some_and(|(root, field)| ROOTS.contains(&root) && !field.is_empty());
    is_below_root || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_sourcegraph_are_found() {
        let check = |text: &str, expected: &[(usize, &str)]| {
            let found: Vec<_> = foreign(text).map(|it| (it.index, it.name)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("a ${{ repository.name }} b", &[(0, "repository.name")]);
        check("${{repository.branch}}", &[(0, "repository.branch")]);
        check(
            "${{ join repository.search_result_paths \" \" }}",
            &[(0, "repository.search_result_paths")],
        );
        check("${{ join_if \" \" previous_step.stdout }}", &[(0, "previous_step.stdout")]);
        check(
            "${{ steps.modified_files }} ${{ steps.meta.outputs.tags }}",
            &[(0, "steps.modified_files")],
        );
        check(
            "${{ outputs.version }} ${{ batch_change_link }}",
            &[(0, "outputs.version"), (1, "batch_change_link")],
        );
        check("${{ github.ref }} ${{ step.stdout }}", &[(1, "step.stdout")]);
        check("${{ eq repository.name", &[(0, "repository.name")]);
        check("${{ github.ref\nrepository.name }}", &[(0, "repository.name")]);
        check("repository.name $ {{ repository.name }} {{ repository.name }}", &[]);
    }

    #[test]
    fn expressions_of_workflows_and_other_tools_pass() {
        for text in [
            "${{ secrets.TOKEN }}",
            "${{ github.ref }}",
            "${{ github.event.repository.name }}",
            "${{ github.repository }}",
            "${{ matrix.os }} ${{ env.X }} ${{ vars.X }} ${{ inputs.step }} ${{ runner.os }}",
            "${{ steps.meta.outputs.tags }} ${{ steps.path.outputs.x }} ${{ steps.changes.outcome }}",
            "${{ needs.build.outputs.version }} ${{ jobs.a.outputs.b }} ${{ job.status }}",
            "${{ hashFiles('**/repository.name') }}",
            "${{ contains(github.event.head_commit.message, 'repository.name') }}",
            "${{ format('{0}', \"step.stdout\") }}",
            "${{ always() && !cancelled() }}",
            "${{ if eq(variables['Build.SourceBranch'], 'x') }}:",
            "${{ parameters.name }} ${{ values.name }}",
            "${{ steps['publish'].output.remoteUrl }}",
            "${{ my_repository.name }} ${{ a.step.b }} ${{ repository }} ${{ repository. }}",
            "${{",
            "${{ }}",
            "${{ 'never closed }}",
        ] {
            assert_eq!(foreign(text).next(), None, "{text}");
        }
    }
}
