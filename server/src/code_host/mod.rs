//! What Drover needs of a code host, and GitHub as one.
