# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first cohort
#
# From an archive to a de-identified release, on real DICOM files that ship inside the pydicom
# package: CT, MR, ultrasound, radiographs, reports. Nothing is downloaded.
#
# What this notebook shows names nobody: tables leave identity columns out, and pictures come from
# the release.

# %%
import tempfile
from pathlib import Path

import polars as pl

import cohortkit as ck

work = Path(tempfile.mkdtemp(prefix="cohortkit-"))

# %% [markdown]
# ## The index
#
# `ck.scan("archive/", "index/")` would index a folder in place. This one is pydicom's folder, in
# memory. Every file is indexed, or skipped with a reason.

# %%
index = ck.demo_index()
index

# %%
index.skipped().group_by("reason").len().sort("reason")

# %% [markdown]
# ## A cohort, step by step
#
# Keys are DICOM keywords; conditions are polars expressions. Each step says who was left out.

# %%
cohort = (
    index.search(Modality=["CT", "MR", "CR", "US"])
    .filter(pl.col("Rows").is_not_null(), reason="no image")
    .first_per("patient", by="StudyDate", level="study")
)
cohort

# %%
cohort.flow()

# %% [markdown]
# A cohort is a table for polars and pandas too, without identity columns unless they are asked for.

# %%
cohort.to_polars().group_by("Modality").agg(
    pl.len().alias("series"),
    pl.col("NumberOfSeriesRelatedInstances").sum().alias("instances"),
).sort("Modality")

# %% [markdown]
# A misspelt keyword is an error that names its neighbours.

# %%
try:
    index.search(Modalty="CT")
except ck.errors.UnknownKeyword as error:
    print(error)

# %% [markdown]
# ## What may stay
#
# A recipe that ships: brain MR. It accepts faces, with a reason that someone has to answer for.

# %%
recipe = ck.load_recipe("brain-mr")
recipe

# %% [markdown]
# ## The plan
#
# Sizes and predicted refusals; nothing is touched yet.

# %%
plan = ck.plan(cohort, recipe, to=[ck.Nifti(), ck.Png(bits=8), ck.Tables()])
plan

# %% [markdown]
# ## The export
#
# The key belongs to the project and stays with the steward. Stop the run at any moment and run the
# cell again: it goes on.

# %%
key = ck.Key.new(work / "demo.key", "demo")
export = ck.export(plan, work / "export", key=key, progress=False)
export.counts().filter(pl.col("level") == "series")

# %%
refused = export.refused()
refused.group_by("output", "reason").len().sort("output", "reason")

# %% [markdown]
# ## The result
#
# A row per file, under pseudonyms, ready for MONAI, TorchIO or pandas.

# %%
files = export.table("files")
images = files.filter(pl.col("role") == "image")
images.select("output", "shape", "spacing", "dtype", "size").sort("size", descending=True).head(8)

# %% [markdown]
# Slices as they were written: the header's own window, the right polarity, no name.

# %%
from base64 import b64encode

from IPython.display import HTML

largest = images.filter(pl.col("output") == "png").sort("size", descending=True).head(6)
pictures = "".join(
    f'<img style="height:160px;margin:2px" '
    f'src="data:image/png;base64,{b64encode((export.release / path).read_bytes()).decode()}">'
    for path in largest["path"]
)
HTML(f"<div>{pictures}</div>")

# %% [markdown]
# A volume, with nibabel:

# %%
import nibabel

volumes = images.filter(pl.col("output") == "nifti").sort("size", descending=True)
volume = nibabel.load(export.release / volumes["path"][0])
print(volume.shape, volume.header.get_zooms())

# %% [markdown]
# ## What to read before it leaves
#
# `release/report.html` says in plain words what was asked, written, refused, searched, and not done.
# The release can be checked again at any time:

# %%
ck.verify(work / "export", key=key, index=index)
