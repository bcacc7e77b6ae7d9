//! A disk behind a cache: what was asked of it, and what of that is sure to be there.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use super::{
    fate::Fate,
    file::{Change, File, Pending},
    random::Random,
    trace::{Call, Event},
};

/// A file or directory, whatever its name; the first is the recorded directory itself.
type Node = usize;
/// A name in a directory.
type Name = (Node, String);

const ROOT: Node = 0;
/// Names that are bound anew, or to nothing, in one.
type Bindings = Vec<(Name, Option<Node>)>;

#[derive(Default)]
pub(super) struct Disk {
    files: BTreeMap<Node, File>,
    nodes: Node,
    /// Names as the program sees them.
    live: BTreeMap<Name, Node>,
    /// Names that are sure to be there.
    sure: BTreeMap<Name, Node>,
    pending_names: Vec<Pending<Bindings>>,
    /// Calls that take effect when they end.
    under_way: HashMap<usize, Effect>,
}

/// What a call does when it ends well.
enum Effect {
    Open {
        path: std::path::PathBuf,
        creates: bool,
        truncates: bool,
    },
    Written(Node),
    /// The calls that a sync of a node is sure to cover: those done when it began.
    Synced(Node, BTreeSet<usize>),
    Rename {
        from: std::path::PathBuf,
        to: std::path::PathBuf,
    },
    Remove(std::path::PathBuf),
    MakeDirectory(std::path::PathBuf),
}

impl Disk {
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Begin(id, call) => {
                let effect = self.begin(*id, call);
                self.under_way.extend(effect.map(|effect| (*id, effect)));
            }
            Event::End(id) => {
                let effect = self.under_way.remove(id);
                effect.into_iter().for_each(|effect| self.end(*id, effect));
            }
        }
    }

    fn begin(&mut self, id: usize, call: &Call) -> Option<Effect> {
        Some(match call {
            Call::Say(_) => return None,
            Call::Open { path, creates, truncates } => {
                Effect::Open { path: path.clone(), creates: *creates, truncates: *truncates }
            }
            Call::Rename { from, to } => Effect::Rename { from: from.clone(), to: to.clone() },
            Call::Remove { path } => Effect::Remove(path.clone()),
            Call::MakeDirectory { path } => Effect::MakeDirectory(path.clone()),
            // What is written to a file without a name matters to nobody after a cut.
            Call::Write { path, offset, data } => {
                let node = self.find(path)?;
                let file = self.files.get_mut(&node)?;
                let at = offset.unwrap_or(file.position);
                if offset.is_none() {
                    file.position += data.len();
                }
                file.change(id, Change::Write(at, data.clone()));
                Effect::Written(node)
            }
            Call::Resize { path, length } => {
                let node = self.find(path)?;
                self.files.get_mut(&node)?.change(id, Change::Resize(*length));
                Effect::Written(node)
            }
            Call::Sync { path } => {
                let node = self.find(path)?;
                Effect::Synced(node, self.done_of(node))
            }
        })
    }

    fn end(&mut self, id: usize, effect: Effect) {
        match effect {
            Effect::Written(node) => self.files.get_mut(&node).expect("a file").done(id),
            Effect::Synced(node, covered) => self.synced(node, &covered),
            Effect::Open { path, creates, truncates } => self.open(id, &path, creates, truncates),
            Effect::MakeDirectory(path) => {
                let node = self.new_node();
                self.bind(id, vec![(self.name(&path), Some(node))]);
            }
            Effect::Remove(path) => self.bind(id, vec![(self.name(&path), None)]),
            Effect::Rename { from, to } => {
                let node = self.find(&from);
                self.bind(id, vec![(self.name(&from), None), (self.name(&to), node)]);
            }
        }
    }

    fn open(&mut self, id: usize, path: &Path, creates: bool, truncates: bool) {
        let node = match self.find(path) {
            Some(node) => node,
            None if creates => {
                let node = self.new_node();
                self.files.insert(node, File::default());
                self.bind(id, vec![(self.name(path), Some(node))]);
                node
            }
            None => return,
        };
        if let Some(file) = self.files.get_mut(&node) {
            file.position = 0;
            if truncates {
                file.change(id, Change::Resize(0));
                file.done(id);
            }
        }
    }

    fn new_node(&mut self) -> Node {
        self.nodes += 1;
        self.nodes
    }

    fn find(&self, path: &Path) -> Option<Node> {
        let step = |node, part: std::path::Component<'_>| {
            let name = part.as_os_str().to_string_lossy().into_owned();
            self.live.get(&(node, name)).copied()
        };
        path.components().try_fold(ROOT, step)
    }

    fn name(&self, path: &Path) -> Name {
        let parent = self.find(path.parent().expect("a parent")).expect("a directory");
        (parent, path.file_name().expect("a name").to_string_lossy().into_owned())
    }

    fn bind(&mut self, id: usize, change: Bindings) {
        rebind(&mut self.live, &change);
        self.pending_names.push(Pending { id, change, is_done: true, is_synced: false });
    }

    fn done_of(&self, node: Node) -> BTreeSet<usize> {
        let names = self.pending_names.iter().filter(|it| is_in(&it.change, node));
        let names = names.map(|it| it.id);
        let changes = self.files.get(&node).into_iter().flat_map(File::done_ids);
        names.chain(changes).collect()
    }

    fn synced(&mut self, node: Node, covered: &BTreeSet<usize>) {
        let sure = &mut self.sure;
        self.pending_names.retain(|it| {
            let is_sure = covered.contains(&it.id) && is_in(&it.change, node);
            if is_sure {
                rebind(sure, &it.change);
            }
            !is_sure
        });
        if let Some(file) = self.files.get_mut(&node) {
            file.synced(covered);
        }
    }

    /// Writes what remains to `place`.
    pub(super) fn remains(&self, fate: Fate, random: &mut Random, place: &Path) {
        let mut names = self.sure.clone();
        for pending in &self.pending_names {
            if fate.keeps(random) {
                rebind(&mut names, &pending.change);
            }
        }
        let mut directories = vec![(ROOT, place.to_owned())];
        while let Some((directory, path)) = directories.pop() {
            std::fs::create_dir(&path).unwrap();
            make_private(&path);
            for ((_, name), node) in names.iter().filter(|((parent, _), _)| *parent == directory) {
                match self.files.get(node) {
                    Some(file) => {
                        std::fs::write(path.join(name), file.remains(fate, random)).unwrap();
                    }
                    None => directories.push((*node, path.join(name))),
                }
            }
        }
    }
}

fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}

fn is_in(bindings: &Bindings, directory: Node) -> bool {
    bindings.iter().any(|((parent, _), _)| *parent == directory)
}

fn rebind(names: &mut BTreeMap<Name, Node>, bindings: &Bindings) {
    for (name, node) in bindings {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}
