# mod_jailcgi. The other targets, and the variables, are in Makefile.apxs.
#
#   make check           runs ./check: all tests, as root, on Debian 12
#   make demo            runs ./demo: two tenants behind one Apache, as root
#   make check ARGS='--quick t/httpd/basic.t'
#   make help            prints this

include Makefile.apxs

.PHONY: check demo help
check demo:
	./$@ $(ARGS)

help:
	@sed -n '/^$$/q; s/^#//p' Makefile
	@sed -n '/^$$/q; s/^#//p' Makefile.apxs
