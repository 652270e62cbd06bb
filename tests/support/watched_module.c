/* A PKCS#11 module in front of another: it writes down what is called, and can take the token away.
 *
 * WATCHED_MODULE  the module behind it
 * WATCHED_LOG     a file that gets a line for each login, each signature, and what is not the token's
 * WATCHED_AWAY    while this file exists there is no token, and no session of before is left
 * WATCHED_UNABLE  while this file exists no key may sign
 * WATCHED_SLOW    while this is a pipe, each signature waits until somebody has written into it
 * WATCHED_LOOK    the same for each search for keys
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long number;
typedef struct { unsigned char version[2]; void *functions[68]; } list;
enum { GET_SLOT_LIST = 4, OPEN_SESSION = 12, CLOSE_ALL = 14, GET_SESSION_INFO = 15, LOGIN = 18,
       FIND_OBJECTS_INIT = 26, DIGEST_INIT = 37, DERIVE_KEY = 62, GENERATE_RANDOM = 64, SIGN_INIT = 42, SIGN = 43, SIGN_UPDATE = 44, SIGN_FINAL = 45 };
enum { DEVICE_REMOVED = 0x32, NOT_PERMITTED = 0x68, OK = 0 };

static list *behind, ours;
static int was_away;

static void note(const char *line) {
    const char *path = getenv("WATCHED_LOG");
    if (!path) return;
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file < 0 || write(file, line, strlen(line)) < 0) abort();
    close(file);
}

static void wait_for_writer(const char *name) {
    char byte;
    const char *path = getenv(name);
    int pipe = path ? open(path, O_RDONLY) : -1;
    if (pipe < 0) return;
    while (read(pipe, &byte, 1) > 0) {}
    close(pipe);
}

static int is_away(void) {
    number slots[16], count = 16, i;
    const char *path = getenv("WATCHED_AWAY");
    int away = path && access(path, F_OK) == 0;
    if (away && !was_away) {
        ((number (*)(unsigned char, number *, number *))behind->functions[GET_SLOT_LIST])(1, slots, &count);
        for (i = 0; i < count; i++)
            ((number (*)(number))behind->functions[CLOSE_ALL])(slots[i]);
    }
    was_away = away;
    return away;
}

static number get_slot_list(unsigned char present, number *slots, number *count) {
    if (is_away() && present) { *count = 0; return OK; }
    return ((number (*)(unsigned char, number *, number *))behind->functions[GET_SLOT_LIST])(present, slots, count);
}

static number open_session(number slot, number flags, void *application, void *notify, number *session) {
    if (is_away()) return DEVICE_REMOVED;
    return ((number (*)(number, number, void *, void *, number *))behind->functions[OPEN_SESSION])(slot, flags, application, notify, session);
}

static number get_session_info(number session, void *info) {
    if (is_away()) return DEVICE_REMOVED;
    return ((number (*)(number, void *))behind->functions[GET_SESSION_INFO])(session, info);
}

static number login(number session, number user, unsigned char *pin, number length) {
    number code = ((number (*)(number, number, unsigned char *, number))behind->functions[LOGIN])(session, user, pin, length);
    note(code == OK ? "login\n" : "login refused\n");
    return code;
}

static number sign_init(number session, void *mechanism, number key) {
    const char *unable = getenv("WATCHED_UNABLE");
    if (is_away()) return DEVICE_REMOVED;
    if (unable && access(unable, F_OK) == 0) return NOT_PERMITTED;
    return ((number (*)(number, void *, number))behind->functions[SIGN_INIT])(session, mechanism, key);
}

static number sign(number session, unsigned char *data, number size, unsigned char *signature, number *length) {
    if (signature) { wait_for_writer("WATCHED_SLOW"); note("sign\n"); }
    return ((number (*)(number, unsigned char *, number, unsigned char *, number *))behind->functions[SIGN])(session, data, size, signature, length);
}

static number sign_final(number session, unsigned char *signature, number *length) {
    if (signature) { wait_for_writer("WATCHED_SLOW"); note("sign\n"); }
    return ((number (*)(number, unsigned char *, number *))behind->functions[SIGN_FINAL])(session, signature, length);
}

static number find_objects_init(number session, void *template, number count) {
    wait_for_writer("WATCHED_LOOK");
    return ((number (*)(number, void *, number))behind->functions[FIND_OBJECTS_INIT])(session, template, count);
}

static number digest_init(number session, void *mechanism) {
    note("not the token's: digest\n");
    return ((number (*)(number, void *))behind->functions[DIGEST_INIT])(session, mechanism);
}

static number derive_key(number session, void *mechanism, number key, void *template, number count, number *made) {
    note("not the token's: key exchange\n");
    return ((number (*)(number, void *, number, void *, number, number *))behind->functions[DERIVE_KEY])(session, mechanism, key, template, count, made);
}

static number generate_random(number session, unsigned char *bytes, number count) {
    note("not the token's: random numbers\n");
    return ((number (*)(number, unsigned char *, number))behind->functions[GENERATE_RANDOM])(session, bytes, count);
}

number C_GetFunctionList(list **found) {
    if (!behind) {
        void *module = dlopen(getenv("WATCHED_MODULE"), RTLD_NOW | RTLD_LOCAL);
        number (*get)(list **) = module ? (number (*)(list **))dlsym(module, "C_GetFunctionList") : 0;
        if (!get || get(&behind) != OK) return 5;
        ours = *behind;
        ours.version[0] = 2, ours.version[1] = 40;
        ours.functions[3] = C_GetFunctionList;
        ours.functions[GET_SLOT_LIST] = get_slot_list;
        ours.functions[OPEN_SESSION] = open_session;
        ours.functions[GET_SESSION_INFO] = get_session_info;
        ours.functions[LOGIN] = login;
        ours.functions[SIGN_INIT] = sign_init;
        ours.functions[SIGN] = sign;
        ours.functions[FIND_OBJECTS_INIT] = find_objects_init;
        ours.functions[DIGEST_INIT] = digest_init;
        ours.functions[DERIVE_KEY] = derive_key;
        ours.functions[GENERATE_RANDOM] = generate_random;
        ours.functions[SIGN_FINAL] = sign_final;
    }
    *found = &ours;
    return OK;
}
