/* librdkafka waits with C11's cnd_timedwait until an absolute time. libfaketime adjusts that time only in
 * pthread_cond_timedwait, so this passes the call on to that function. In glibc both use the same data structures. */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    switch (pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until)) {
    case 0: return thrd_success;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
    }
}
