"""What Python 3.0 to 3.6 had, and Python 2 under names that parse."""

import collections
import collections.abc
import fractions
import inspect
import itertools
import math
import os
import string
import time
import types
import urllib
import urllib.error
import urllib.parse
import urllib.request

from tfcourse.tf1_runner.patches.libraries.added import add
from tfcourse.tf1_runner.source import python_2

ArgSpec = collections.namedtuple("ArgSpec", "args varargs keywords defaults")


def restore() -> None:
    """Puts it back in this process."""
    python_2.restore_builtins()
    add(time, clock=time.perf_counter)
    add(inspect, getargspec=getargspec, ArgSpec=ArgSpec)
    add(fractions, gcd=math.gcd)
    for name in collections.abc.__all__:
        add(collections, **{name: getattr(collections.abc, name)})
    _restore_python_2()


def getargspec(function):
    """Returns the four parts that it had; `getfullargspec` has seven."""
    return ArgSpec(*inspect.getfullargspec(function)[:4])


def _restore_python_2():
    add(
        itertools,
        izip=zip,
        imap=map,
        ifilter=filter,
        izip_longest=itertools.zip_longest,
        ifilterfalse=itertools.filterfalse,
    )
    add(os, getcwdu=os.getcwd)
    add(
        string,
        letters=string.ascii_letters,
        lowercase=string.ascii_lowercase,
        uppercase=string.ascii_uppercase,
        maketrans=str.maketrans,
        join=lambda words, sep=" ": sep.join(words),
        split=lambda text, *args: text.split(*args),
        replace=lambda text, *args: text.replace(*args),
        strip=lambda text, *args: text.strip(*args),
        lower=str.lower,
        upper=str.upper,
        atoi=int,
        atof=float,
    )
    add(
        types,
        StringType=str,
        StringTypes=(str,),
        UnicodeType=str,
        IntType=int,
        LongType=int,
        FloatType=float,
        BooleanType=bool,
        ListType=list,
        TupleType=tuple,
        DictType=dict,
        NoneType=type(None),
        ClassType=type,
    )
    for module in (urllib.parse, urllib.request):
        names = {name: getattr(module, name) for name in module.__all__}
        add(urllib, **names)
