#include "base/sys.h"
#include "engine/engine.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "engine/folder.h"
#include "source/repo.h"

/*
 * A configuration to begin with. What of it has to be changed is marked by a comment in its file;
 * tests/flow/test_init.sh holds it against validate and plan.
 */

const struct engine_init_file engine_init_files[] = {
	{".gitignore", "# settings of one author, and reports for a code host\n"
		       ".trueup\n"
		       "*.sarif\n"},
	{"organization.yaml", "kind: Organization\n"
			      "name: example                   # yours\n"},
	{"nodes/here.yaml",
	 "# The machine that the reconciler itself runs on; its programs are plain processes.\n"
	 "kind: Node\n"
	 "name: here\n"
	 "driver: host\n"
	 "imageRoot: /srv/trueup/images   # image local/<path>:<tag> is the folder <path>/<tag> in "
	 "it\n"
	 "dataRoot: /srv/trueup/data\n"},
	{"projects/demo/project.yaml", "kind: Project\n"
				       "name: demo\n"},
	{"projects/demo/products/hello.yaml",
	 "kind: Product\n"
	 "name: hello\n"
	 "type: complex                   # it has versions\n"
	 "---\n"
	 "kind: Version\n"
	 "product: hello\n"
	 "name: 1.0.0\n"
	 "type: incremental               # never changes once it was deployed successfully\n"
	 "images:\n"
	 "  - name: web\n"
	 "    image: local/hello:1.0.0\n"
	 "    config:\n"
	 "      command: [./serve]        # a program in the image\n"
	 "      env: {GREETING: Hello}\n"},
	{"projects/demo/stages/test/stage.yaml", "kind: Stage\n"
						 "name: test\n"},
	{"projects/demo/stages/test/hello.yaml", "kind: Deployment\n"
						 "name: hello\n"
						 "product: hello\n"
						 "version: 1.0.0\n"
						 "node: here\n"},
	{"README.md",
	 "# Configuration of our deployments\n"
	 "\n"
	 "What is on the branch `main` is what runs. Change these, then run `trueup validate`:\n"
	 "\n"
	 "1. `organization.yaml`: the name of the organization.\n"
	 "2. `nodes/here.yaml`: where programs and their data lie on this machine.\n"
	 "3. `projects/demo/products/hello.yaml`: what there is to run, in which versions;\n"
	 "   1.0.0 is the program `serve` in `/srv/trueup/images/hello/1.0.0/`.\n"
	 "4. `projects/demo/stages/test/hello.yaml`: which version runs where.\n"
	 "\n"
	 "`trueup plan --repo . --rev HEAD` shows what a commit would do. The reconciler's "
	 "settings must\n"
	 "allow the folder and, where it is root, the user: `--policy.hostDriver.users=root` and\n"
	 "`--policy.hostDriver.imageRoots=/srv/trueup/images`. `trueup explain Deployment` tells "
	 "more.\n"},
	{NULL, NULL},
};

static int fill(const char *folder, bool *git, struct err *err)
{
	for (const struct engine_init_file *file = engine_init_files; file->path; file++)
		if (folder_write(folder, file->path, file->text, strlen(file->text), err) < 0)
			return -1;
	*git = !repo_around(folder);
	return *git ? repo_init(folder, err) : 0;
}

static int is_taken(const char *folder, struct err *err)
{
	return err_set(err, E_CONFLICT,
		       "%s is not empty: name a folder that is, or one that is not there yet; "
		       "nothing was written",
		       folder);
}

/* 1: it is there and empty, 0: there is none. */
static int look_at(const char *folder, struct err *err)
{
	AUTO_DIR DIR *dir = NULL;
	struct dirent *entry;

	if (!fs_exists(folder))
		return 0;
	dir = opendir(folder);
	if (!dir && errno == ENOTDIR)
		return err_set(err, E_CONFLICT, "%s is a file: name a folder", folder);
	if (!dir)
		return err_errno(err, E_IO, "open %s", folder);
	while ((entry = readdir(dir)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			return is_taken(folder, err);
	return 1;
}

/* It was empty: whatever of ours is in it goes. */
static void empty_again(const char *folder)
{
	char path[FS_PATH_MAX];

	for (const struct engine_init_file *file = engine_init_files; file->path; file++) {
		char *top AUTO_FREE = mem_strdup(file->path);

		top[strcspn(top, "/")] = '\0';
		if (fs_join(path, folder, top) == 0)
			(void)fs_remove_tree(path, NULL);
	}
	if (fs_join(path, folder, ".git") == 0)
		(void)fs_remove_tree(path, NULL);
}

/* Made under another name, so that the folder is there with all of it or not at all. */
static int make_whole(const char *folder, bool *git, struct err *err)
{
	char *fresh AUTO_FREE = mem_printf("%s.%ld.new", folder, (long)getpid());
	int status;

	if (mkdir(fresh, 0755) < 0)
		return err_errno(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "make %s", folder);
	status = fill(fresh, git, err);
	if (status == 0 && rename(fresh, folder) < 0) {
		status = errno == ENOTEMPTY || errno == EEXIST
				 ? is_taken(folder, err)
				 : err_errno(err, E_IO, "make %s", folder);
	}
	if (status < 0)
		(void)fs_remove_tree(fresh, NULL);
	return status;
}

int engine_init(const char *folder, bool *git, struct err *err)
{
	char *path AUTO_FREE = mem_strdup(folder);
	int there;

	for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	there = look_at(path, err);
	if (there < 0)
		return -1;
	if (!there)
		return make_whole(path, git, err);
	if (fill(path, git, err) == 0)
		return 0;
	empty_again(path);
	return -1;
}
