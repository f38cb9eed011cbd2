"""新生批量导入: from the template to a checked batch (ARCHITECTURE 6, R-EST-10)."""
