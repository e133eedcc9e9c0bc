/*
 * numbers.h (i386) - the numbers of Linux i386: one list, for the table of functions and for that of names.
 *
 *   CALL(number, name)            answered by sys_NAME
 *   AS(number, name, function)    answered by sys_FUNCTION
 *   NAMED(number, name)           Linux has it; here it answers -ENOSYS and is counted, as a number without a name is
 *
 * Source   Linux, arch/x86/entry/syscalls, and syscalls(2).
 */
#ifndef QUIRE_LINUX_I386_NUMBERS_H
#define QUIRE_LINUX_I386_NUMBERS_H

#define LINUX_NUMBERS(CALL, AS, NAMED) \
    CALL(0, restart_syscall) CALL(1, exit) CALL(2, fork) CALL(3, read) CALL(4, write) CALL(5, open) CALL(6, close) \
    CALL(7, waitpid) CALL(8, creat) CALL(9, link) CALL(10, unlink) CALL(11, execve) CALL(12, chdir) CALL(13, time) \
    CALL(14, mknod) CALL(15, chmod) AS(16, lchown, lchown16) CALL(19, lseek) CALL(20, getpid) CALL(21, mount) \
    CALL(22, umount) AS(23, setuid, setuid16) AS(24, getuid, getuid16) CALL(25, stime) NAMED(26, ptrace) \
    CALL(27, alarm) CALL(29, pause) CALL(30, utime) CALL(33, access) CALL(34, nice) CALL(36, sync) CALL(37, kill) \
    CALL(38, rename) CALL(39, mkdir) CALL(40, rmdir) CALL(41, dup) CALL(42, pipe) CALL(43, times) CALL(45, brk) \
    AS(46, setgid, setgid16) AS(47, getgid, getgid16) CALL(48, signal) AS(49, geteuid, geteuid16) \
    AS(50, getegid, getegid16) CALL(52, umount2) CALL(54, ioctl) CALL(55, fcntl) CALL(57, setpgid) CALL(60, umask) \
    CALL(61, chroot) CALL(63, dup2) CALL(64, getppid) CALL(65, getpgrp) CALL(66, setsid) CALL(67, sigaction) \
    CALL(68, sgetmask) CALL(69, ssetmask) AS(70, setreuid, setreuid16) AS(71, setregid, setregid16) \
    CALL(72, sigsuspend) CALL(73, sigpending) CALL(74, sethostname) CALL(75, setrlimit) CALL(76, old_getrlimit) \
    CALL(77, getrusage) \
    CALL(78, gettimeofday) CALL(79, settimeofday) AS(80, getgroups, getgroups16) AS(81, setgroups, setgroups16) \
    CALL(83, symlink) CALL(85, readlink) CALL(87, swapon) NAMED(88, reboot) CALL(90, mmap) CALL(91, munmap) \
    CALL(92, truncate) \
    CALL(93, ftruncate) CALL(94, fchmod) AS(95, fchown, fchown16) CALL(96, getpriority) CALL(97, setpriority) \
    CALL(99, statfs) CALL(100, fstatfs) NAMED(101, ioperm) CALL(102, socketcall) CALL(103, syslog) \
    CALL(104, setitimer) CALL(105, getitimer) CALL(106, stat) CALL(107, lstat) CALL(108, fstat) CALL(114, wait4) \
    CALL(115, swapoff) CALL(116, sysinfo) NAMED(117, ipc) CALL(118, fsync) CALL(119, sigreturn) CALL(120, clone) \
    CALL(121, setdomainname) CALL(122, uname) NAMED(123, modify_ldt) NAMED(124, adjtimex) CALL(125, mprotect) \
    CALL(126, sigprocmask) CALL(132, getpgid) CALL(133, fchdir) CALL(136, personality) AS(138, setfsuid, setfsuid16) \
    AS(139, setfsgid, setfsgid16) CALL(140, _llseek) CALL(141, getdents) CALL(142, _newselect) CALL(143, flock) \
    CALL(144, msync) CALL(145, readv) CALL(146, writev) CALL(147, getsid) CALL(148, fdatasync) CALL(150, mlock) \
    CALL(151, munlock) CALL(152, mlockall) CALL(153, munlockall) CALL(154, sched_setparam) CALL(155, sched_getparam) \
    CALL(156, sched_setscheduler) CALL(157, sched_getscheduler) CALL(158, sched_yield) \
    CALL(159, sched_get_priority_max) CALL(160, sched_get_priority_min) CALL(161, sched_rr_get_interval) \
    CALL(162, nanosleep) CALL(163, mremap) AS(164, setresuid, setresuid16) AS(165, getresuid, getresuid16) \
    CALL(168, poll) AS(170, setresgid, setresgid16) AS(171, getresgid, getresgid16) CALL(172, prctl) \
    CALL(173, rt_sigreturn) CALL(174, rt_sigaction) CALL(175, rt_sigprocmask) CALL(176, rt_sigpending) \
    CALL(177, rt_sigtimedwait) CALL(178, rt_sigqueueinfo) CALL(179, rt_sigsuspend) CALL(180, pread64) \
    CALL(181, pwrite64) AS(182, chown, chown16) CALL(183, getcwd) CALL(184, capget) CALL(185, capset) \
    CALL(186, sigaltstack) CALL(187, sendfile) CALL(190, vfork) CALL(191, getrlimit) CALL(192, mmap2) \
    CALL(193, truncate64) CALL(194, ftruncate64) CALL(195, stat64) CALL(196, lstat64) CALL(197, fstat64) \
    CALL(198, lchown32) CALL(199, getuid32) CALL(200, getgid32) CALL(201, geteuid32) CALL(202, getegid32) \
    CALL(203, setreuid32) CALL(204, setregid32) CALL(205, getgroups32) CALL(206, setgroups32) CALL(207, fchown32) \
    CALL(208, setresuid32) CALL(209, getresuid32) CALL(210, setresgid32) CALL(211, getresgid32) CALL(212, chown32) \
    CALL(213, setuid32) CALL(214, setgid32) CALL(215, setfsuid32) CALL(216, setfsgid32) CALL(218, mincore) \
    CALL(219, madvise) CALL(220, getdents64) CALL(221, fcntl64) CALL(224, gettid) CALL(225, readahead) \
    CALL(226, setxattr) CALL(227, lsetxattr) CALL(228, fsetxattr) CALL(229, getxattr) CALL(230, lgetxattr) \
    CALL(231, fgetxattr) CALL(232, listxattr) CALL(233, llistxattr) CALL(234, flistxattr) CALL(235, removexattr) \
    CALL(236, lremovexattr) CALL(237, fremovexattr) CALL(238, tkill) CALL(239, sendfile64) CALL(240, futex) \
    CALL(241, sched_setaffinity) CALL(242, sched_getaffinity) CALL(243, set_thread_area) CALL(244, get_thread_area) \
    CALL(250, fadvise64) CALL(252, exit_group) CALL(254, epoll_create) CALL(255, epoll_ctl) CALL(256, epoll_wait) \
    CALL(257, remap_file_pages) CALL(258, set_tid_address) CALL(259, timer_create) CALL(260, timer_settime) \
    CALL(261, timer_gettime) CALL(262, timer_getoverrun) CALL(263, timer_delete) NAMED(264, clock_settime) \
    CALL(265, clock_gettime) CALL(266, clock_getres) CALL(267, clock_nanosleep) CALL(268, statfs64) \
    CALL(269, fstatfs64) CALL(270, tgkill) CALL(271, utimes) CALL(272, fadvise64_64) NAMED(274, mbind) \
    NAMED(275, get_mempolicy) NAMED(276, set_mempolicy) CALL(284, waitid) CALL(289, ioprio_set) \
    CALL(290, ioprio_get) NAMED(291, inotify_init) CALL(295, openat) \
    CALL(296, mkdirat) CALL(297, mknodat) CALL(298, fchownat) CALL(299, futimesat) CALL(300, fstatat64) \
    CALL(301, unlinkat) CALL(302, renameat) CALL(303, linkat) CALL(304, symlinkat) CALL(305, readlinkat) \
    CALL(306, fchmodat) CALL(307, faccessat) CALL(308, pselect6) CALL(309, ppoll) NAMED(310, unshare) \
    CALL(311, set_robust_list) CALL(312, get_robust_list) CALL(313, splice) CALL(315, tee) CALL(316, vmsplice) \
    CALL(318, getcpu) CALL(319, epoll_pwait) CALL(320, utimensat) CALL(321, signalfd) CALL(322, timerfd_create) \
    CALL(323, eventfd) CALL(324, fallocate) CALL(325, timerfd_settime) CALL(326, timerfd_gettime) \
    CALL(327, signalfd4) CALL(328, eventfd2) CALL(329, epoll_create1) CALL(330, dup3) CALL(331, pipe2) \
    NAMED(332, inotify_init1) CALL(333, preadv) CALL(334, pwritev) CALL(335, rt_tgsigqueueinfo) \
    NAMED(336, perf_event_open) CALL(340, prlimit64) CALL(344, syncfs) NAMED(346, setns) CALL(347, process_vm_readv) \
    CALL(348, process_vm_writev) NAMED(351, sched_setattr) NAMED(352, sched_getattr) CALL(353, renameat2) \
    NAMED(354, seccomp) CALL(355, getrandom) CALL(356, memfd_create) NAMED(357, bpf) CALL(358, execveat) \
    CALL(359, socket) CALL(360, socketpair) CALL(361, bind) CALL(362, connect) CALL(363, listen) CALL(364, accept4) \
    CALL(365, getsockopt) CALL(366, setsockopt) CALL(367, getsockname) CALL(368, getpeername) CALL(369, sendto) \
    CALL(370, sendmsg) CALL(371, recvfrom) CALL(372, recvmsg) CALL(373, shutdown) NAMED(374, userfaultfd) \
    CALL(375, membarrier) CALL(376, mlock2) CALL(377, copy_file_range) CALL(378, preadv2) CALL(379, pwritev2) \
    CALL(383, statx) NAMED(384, arch_prctl) NAMED(386, rseq) CALL(403, clock_gettime64) NAMED(404, clock_settime64) \
    CALL(406, clock_getres_time64) CALL(407, clock_nanosleep_time64) CALL(408, timer_gettime64) \
    CALL(409, timer_settime64) CALL(410, timerfd_gettime64) CALL(411, timerfd_settime64) CALL(412, utimensat_time64) \
    CALL(413, pselect6_time64) CALL(414, ppoll_time64) CALL(421, rt_sigtimedwait_time64) CALL(422, futex_time64) \
    CALL(423, sched_rr_get_interval_time64) NAMED(424, pidfd_send_signal) NAMED(425, io_uring_setup) \
    NAMED(434, pidfd_open) CALL(435, clone3) CALL(436, close_range) CALL(437, openat2) CALL(439, faccessat2) \
    CALL(441, epoll_pwait2) NAMED(449, futex_waitv) NAMED(452, fchmodat2)

#endif
