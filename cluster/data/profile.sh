# What a login shell of the cluster reads, and every bash of a job that has no modules yet.
# shellcheck shell=bash
if ! declare -F module >/dev/null; then
    export SLURM_CONF=@root@/etc/slurm.conf
    export CC_CLUSTER=@site@
    export HOME=@root@/home PROJECT=@root@/project SCRATCH=@root@/scratch
    export PATH=@root@/bin:@root@/custom/bin:@path@
    export TUMPLINE_SITES=@sites@
    export LMOD_AVAIL_EXTENSIONS=no LMOD_PAGER=none
    export MODULEPATH=@root@/modules/custom
    # shellcheck disable=SC1091
    . @lmod@/init/bash
    @load@
fi
